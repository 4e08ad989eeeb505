//! Attacks on an agent: requests that others make a program of this machine send, or send by a detour, and floods.

use http::Method;

use crate::world::Machine;

const LIFE: (&str, &str) = ("x-aws-ec2-metadata-token-ttl-seconds", "60");
const PATHS: [&str; 4] = [
    "/latest/meta-data/iam/security-credentials/Worker",
    "/latest/meta-data/instance-id",
    "/v2/credentials/0123456789abcdef0123456789abcdef",
    "/healthz",
];

#[tokio::test]
async fn what_a_proxy_forwarded_is_refused_on_every_path() {
    let machine = Machine::new().await;
    for field in [("X-Forwarded-For", "10.0.0.1"), ("Forwarded", "for=10.0.0.1")] {
        let put = machine.ask(Method::PUT, "/latest/api/token", &[LIFE, field]).await;
        assert_eq!((put.status, put.body.as_str()), (403, "The request was forwarded.\n"), "{field:?}");
        for path in PATHS {
            assert_eq!(machine.get(path, &[field]).await.status, 403, "{path} {field:?}");
        }
    }
}

#[tokio::test]
async fn a_name_that_was_made_to_lead_here_is_refused() {
    let machine = Machine::new().await;
    for host in ["evil.example", "169.254.169.254.nip.io", "10.9.8.7", "localhost.evil.example:80"] {
        let put = machine.ask(Method::PUT, "/latest/api/token", &[LIFE, ("host", host)]).await;
        assert_eq!(put.status, 403, "{host}");
        for path in PATHS {
            assert_eq!(machine.get(path, &[("host", host)]).await.status, 403, "{path} {host}");
        }
    }
    for host in ["169.254.169.254", "[fd00:ec2::254]", "localhost", &machine.host()] {
        assert_eq!(machine.get(PATHS[1], &[("host", host)]).await.status, 200, "{host}");
    }
}

#[tokio::test]
async fn a_page_and_a_proxys_client_are_refused() {
    let machine = Machine::new().await;
    assert_eq!(machine.get(PATHS[1], &[("Origin", "http://localhost")]).await.status, 403);
    let answer = machine.get(PATHS[1], &[]).await;
    assert_eq!((answer.status, answer.field("access-control-allow-origin")), (200, None));
    let absolute = format!(
        "GET http://169.254.169.254{} HTTP/1.1\r\nhost: 169.254.169.254\r\nconnection: close\r\n\r\n",
        PATHS[1]
    );
    assert_eq!(machine.raw(&absolute).await.status, 403);
    // No Host at all, as HTTP/1.0 has it.
    assert_eq!(machine.raw(&format!("GET {} HTTP/1.0\r\n\r\n", PATHS[1])).await.status, 403);
}

#[tokio::test]
async fn heads_have_bounds() {
    let machine = Machine::new().await;
    let long = "x".repeat(30_000);
    assert_eq!(machine.get(PATHS[1], &[("x-long", &long)]).await.status, 431);
    let many: Vec<(String, String)> = (0..60).map(|n| (format!("x-{n}"), String::new())).collect();
    let many: Vec<(&str, &str)> = many.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(machine.get(PATHS[1], &many).await.status, 431);
    assert_eq!(machine.get(PATHS[1], &[]).await.status, 200);
}

#[tokio::test]
async fn every_call_of_the_server_has_a_proof_of_its_own_and_no_secret() {
    let machine = Machine::new().await;
    machine.credentials().await;
    let first = machine.stub.params_of_last("GetInstanceCredentials");
    machine.clock.advance(18_000);
    machine.credentials().await;
    let second = machine.stub.params_of_last("GetInstanceCredentials");
    assert_ne!(first["Proof"], second["Proof"]);
    let mut names: Vec<_> = second.as_object().unwrap().keys().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, ["InstanceArn", "Proof", "RoleDelivery"]);
}
