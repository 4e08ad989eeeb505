//! EKS Pod Identity on the node: what a pod is told, and what is asked for it. Sentences are those of the public agent.

use data_encoding::BASE64URL_NOPAD;

use crate::world::Machine;

const PATH: &str = "/v1/credentials";

async fn node() -> Machine {
    Machine::with(|settings| settings.cluster = Some("shop".into())).await
}

fn token(exp: i64) -> String {
    let part = |text: &str| BASE64URL_NOPAD.encode(text.as_bytes());
    let claims = format!(
        r#"{{"aud":["pods.eks.amazonaws.com"],"sub":"system:serviceaccount:shop:till","exp":{exp}}}"#
    );
    format!("{}.{}.{}", part(r#"{"alg":"RS256"}"#), part(&claims), part("signature"))
}

fn token_of(pod: &str, exp: i64) -> String {
    let part = |text: &str| BASE64URL_NOPAD.encode(text.as_bytes());
    let claims = format!(r#"{{"exp":{exp},"kubernetes.io":{{"namespace":"shop","pod":{{"uid":"{pod}"}}}}}}"#);
    format!("{}.{}.{}", part(r#"{"alg":"RS256"}"#), part(&claims), part("signature"))
}

/// 2026-01-02T03:04:05Z
const NOW: i64 = 1_767_323_045;

#[tokio::test]
async fn a_pod_gets_its_role_by_the_token_of_its_service_account() {
    let node = node().await;
    let token = token(NOW + 600_000);
    let said = node.get(PATH, &[("authorization", &token), ("host", "169.254.170.23")]).await;
    assert_eq!((said.status, said.field("content-type")), (200, Some("application/json")), "{}", said.body);
    let document = said.json();
    let mut names: Vec<_> = document.as_object().unwrap().keys().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, ["AccessKeyId", "AccountId", "Expiration", "SecretAccessKey", "Token"]);
    assert_eq!(
        (&document["AccountId"], &document["Expiration"]),
        (&"111122223333".into(), &"2026-01-02T09:04:05Z".into())
    );
    // Asked for with the node's own role.
    let own = node.credentials().await["AccessKeyId"].as_str().unwrap().to_owned();
    let signed = node.stub.params_of_last("AssumeRoleForPodIdentity")["Authorization"].to_string();
    assert!(signed.contains(&own), "{signed}");
    // Kept for this token, and for it alone.
    let again = node.get(PATH, &[("authorization", &token)]).await.json();
    assert_eq!(again["AccessKeyId"], document["AccessKeyId"]);
    let other = node.get(PATH, &[("authorization", &self::token(NOW + 600_001))]).await.json();
    assert_ne!(other["AccessKeyId"], document["AccessKeyId"]);
}

#[tokio::test]
async fn what_is_no_token_is_told_without_a_call() {
    let node = node().await;
    for (fields, status, sentence) in [
        (vec![], 400, "Service account token cannot be empty"),
        (vec![("authorization", "")], 400, "Service account token cannot be empty"),
        (vec![("authorization", "x")], 400, "Service account token cannot be parsed: it has not three parts"),
        (
            vec![("authorization", "e30.e30.e30"), ("host", "localhost")],
            400,
            "Service account token failed basic claim validations: token is expired (exp)",
        ),
        (
            vec![("authorization", "e30.e30.e30"), ("host", "169.254.169.254")],
            403,
            "Access Denied. Called agent through invalid address, please use either 169.254.170.23 or [fd00:ec2::23]",
        ),
    ] {
        let said = node.get(PATH, &fields).await;
        assert_eq!((said.status, said.body.trim_end()), (status, sentence), "{fields:?}");
    }
    assert!(!node.stub.calls().contains(&"AssumeRoleForPodIdentity".to_owned()));
    let machine = Machine::new().await;
    assert_eq!(
        machine.get(PATH, &[("authorization", &token(NOW + 60))]).await.status,
        404,
        "no node of a cluster"
    );
}

#[tokio::test]
async fn the_longest_token_is_read_and_a_longer_one_is_told() {
    let node = node().await;
    let short = token_of("", NOW + 600);
    // Four letters are three bytes of the claim.
    let long = |bytes: usize| token_of(&"x".repeat((bytes - short.len()) / 4 * 3), NOW + 600);
    let said = node.get(PATH, &[("authorization", &long(16 * 1024))]).await;
    assert_eq!((said.status, long(16 * 1024).len() > 16_380), (200, true), "{}", said.body);
    let said = node.get(PATH, &[("authorization", &long(20 * 1024))]).await;
    assert_eq!(
        (said.status, said.body.trim_end()),
        (400, "Service account token cannot be parsed: it is too long")
    );
}

#[tokio::test]
async fn what_the_server_says_is_passed_on_and_some_of_it_takes_away_what_was_kept() {
    let node = node().await;
    let token = token(NOW + 600_000);
    let get = async || node.get(PATH, &[("authorization", &token)]).await;
    node.stub.pods_hear(Some((400, "AccessDeniedException")));
    let said = get().await;
    assert_eq!(said.status, 400);
    assert_eq!(said.body.trim_end(), "[id-1]: (AccessDeniedException): no, fault: client");
    node.stub.pods_hear(None);
    node.clock.advance(10);
    let first = get().await.json();
    // A server in trouble takes nothing away, one that says no does.
    for (error, status) in [
        ((500, "InternalServerException"), 200),
        ((429, "ThrottlingException"), 200),
        ((404, "ResourceNotFoundException"), 404),
    ] {
        node.stub.pods_hear(Some(error));
        node.clock.advance(20_000);
        let said = get().await;
        assert_eq!(said.status, status, "{error:?}: {}", said.body);
        assert!(status != 200 || said.json()["AccessKeyId"] == first["AccessKeyId"]);
    }
}

#[tokio::test]
async fn tokens_that_others_forge_keep_no_pod_from_what_it_had() {
    for (error, status) in
        [((400, "InvalidTokenException"), 400), ((503, "ServiceUnavailableException"), 503)]
    {
        let node = node().await;
        let get = async |pod: &str, exp| node.get(PATH, &[("authorization", &token_of(pod, exp))]).await;
        let asked = || node.stub.calls().iter().filter(|call| *call == "AssumeRoleForPodIdentity").count();
        assert_eq!(get("pod-1", NOW + 600).await.status, 200);
        // Refused, or with a key id that its issuer does not have: the server asks there, and fails.
        node.stub.pods_hear(Some(error));
        for n in 0..200 {
            let said = get(&format!("forged-{n}"), NOW + 600).await;
            assert_eq!(said.status, if n < 30 { status } else { 429 }, "{n}: {}", said.body);
        }
        assert_eq!(asked(), 1 + 30, "as many as programs of one machine may");
        node.stub.pods_hear(None);
        assert_eq!(get("pod-2", NOW + 600).await.status, 429, "nothing tells it apart");
        // The kubelet renewed its token.
        assert_eq!(get("pod-1", NOW + 1200).await.status, 200);
    }
}

#[tokio::test]
async fn the_session_of_the_node_that_was_ended_is_replaced_when_a_pod_asks() {
    let node = node().await;
    let get = async |pod: &str| node.get(PATH, &[("authorization", &token_of(pod, NOW + 600))]).await;
    let asked = || node.stub.calls().iter().filter(|call| *call == "GetInstanceCredentials").count();
    let own = async || node.credentials().await["AccessKeyId"].as_str().unwrap().to_owned();
    let (before, of_pod) = (own().await, get("pod-1").await.json());
    assert_eq!(asked(), 1);
    node.stub.ends(&before);
    // Those that it was given just now are not asked for again and again.
    let said = get("pod-2").await;
    assert!(said.status == 400 && said.body.contains("is expired"), "{}", said.body);
    assert_eq!(asked(), 1);
    node.clock.advance(10);
    let said = get("pod-2").await;
    assert_eq!((said.status, asked()), (200, 2), "{}", said.body);
    assert_ne!(own().await, before);
    // What other pods have may have ended with it.
    let again = get("pod-1").await;
    assert_eq!(again.status, 200);
    assert_ne!(again.json()["AccessKeyId"], of_pod["AccessKeyId"]);
    assert_eq!(get("pod-1").await.json(), again.json());
    // A pod's own token that is over is of the pod, and no matter of the node's.
    node.stub.pods_hear(Some((400, "ExpiredTokenException")));
    node.clock.advance(20_000);
    assert_eq!((own().await.is_empty(), get("pod-3").await.status), (false, 400));
    assert_eq!(asked(), 3, "when they were due");
}

#[tokio::test]
async fn a_node_that_gets_no_other_session_takes_nothing_from_its_pods() {
    let node = node().await;
    let get = async || node.get(PATH, &[("authorization", &token_of("pod-1", NOW + 600_000))]).await;
    let own = node.credentials().await["AccessKeyId"].as_str().unwrap().to_owned();
    let of_pod = get().await.json();
    node.stub.ends(&own);
    node.stub.is_away(true);
    node.clock.advance(20_000);
    assert_eq!(get().await.json(), of_pod);
    node.stub.is_away(false);
    node.clock.advance(10);
    assert_ne!(get().await.json()["AccessKeyId"], of_pod["AccessKeyId"]);
}
