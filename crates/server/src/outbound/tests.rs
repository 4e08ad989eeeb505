//! Documents over TLS from a server made here: who is asked, who is believed, what is read.

mod addresses;
mod time;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use daypass_authn::oidc::thumbprint;
use daypass_model::Secret;
use daypass_service::federation::{Fetch as _, FetchError, Fetched, Form, Place, Wanted};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::RootCertStore;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::{CACHE_CONTROL, Outbound, OutboundRules, max_age};

const OK: &str = "HTTP/1.1 200 OK\r\ncache-control: max-age=60\r\ncontent-length: 2\r\n\r\n{}";

/// An authority with a certificate for `localhost`.
struct Authority {
    root: CertificateDer<'static>,
    chain: Vec<CertificateDer<'static>>,
    key: Vec<u8>,
}

impl Authority {
    fn new(host: &str) -> Authority {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let key = KeyPair::generate().unwrap();
        let leaf = CertificateParams::new(vec![host.to_owned()]).unwrap().signed_by(&key, &issuer).unwrap();
        let root = issuer.der().clone();
        Authority { chain: vec![leaf.der().clone(), root.clone()], root, key: key.serialize_der() }
    }

    /// Answers every connection with this.
    async fn serve(&self, answer: String) -> SocketAddr {
        self.serve_and_tell(answer).await.0
    }

    /// The same, and what it was asked.
    async fn serve_and_tell(&self, answer: String) -> (SocketAddr, Arc<Mutex<Vec<String>>>) {
        let heads: Arc<Mutex<Vec<String>>> = Arc::default();
        let told = heads.clone();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let key = PrivateKeyDer::try_from(self.key.clone()).unwrap();
        let crypto = rustls::crypto::aws_lc_rs::default_provider();
        let config = rustls::ServerConfig::builder_with_provider(crypto.into())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(self.chain.clone(), key)
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        tokio::spawn(async move {
            while let Ok((tcp, _)) = listener.accept().await {
                let Ok(mut stream) = acceptor.accept(tcp).await else { continue };
                let mut head = [0; 4096];
                let read = stream.read(&mut head).await.unwrap_or_default();
                told.lock().unwrap().push(String::from_utf8_lossy(&head[..read]).into_owned());
                let _ = stream.write_all(answer.as_bytes()).await;
                let _ = stream.shutdown().await;
            }
        });
        (address, heads)
    }

    fn roots(&self) -> RootCertStore {
        let mut roots = RootCertStore::empty();
        roots.add(self.root.clone()).unwrap();
        roots
    }
}

/// Nobody counts here.
fn place() -> Place {
    Place::holding(Arc::new(()))
}

/// Asks at the address as an issuer that is listed as insecure, so that port and loopback are allowed; TLS is checked.
async fn ask(
    roots: RootCertStore,
    address: SocketAddr,
    thumbprints: &[String],
) -> Result<Fetched, FetchError> {
    let url = format!("https://localhost:{}/keys", address.port());
    let outbound = Outbound::new(OutboundRules::default(), roots);
    outbound
        .fetch(Wanted {
            url: &url,
            query: None,
            form: None,
            bytes_max: 1000,
            insecure: Some(&url),
            thumbprints,
            place: place(),
        })
        .await
}

#[tokio::test]
async fn a_server_is_believed_by_a_known_root_or_by_the_thumbprint_of_the_last_certificate() {
    let authority = Authority::new("localhost");
    let address = authority.serve(OK.into()).await;
    let expected = Fetched { body: b"{}".to_vec(), max_age: Some(60) };
    assert_eq!(ask(authority.roots(), address, &[]).await.unwrap(), expected);
    // A wrong thumbprint beside a known root does no harm, as on AWS.
    let wrong = vec!["0".repeat(40)];
    assert_eq!(ask(authority.roots(), address, &wrong).await.unwrap(), expected);
    let right = vec![wrong[0].clone(), thumbprint(&authority.root)];
    assert_eq!(ask(RootCertStore::empty(), address, &right).await.unwrap(), expected);
    let of_leaf = [thumbprint(&authority.chain[0])];
    for (roots, thumbprints) in [
        (RootCertStore::empty(), &[][..]),
        (RootCertStore::empty(), &wrong[..]),
        (RootCertStore::empty(), &of_leaf[..]),
        (Authority::new("localhost").roots(), &wrong[..]),
    ] {
        let refused = ask(roots, address, thumbprints).await;
        assert!(matches!(refused, Err(FetchError::Certificate(_))), "{refused:?}");
    }
}

#[tokio::test]
async fn a_certificate_for_another_name_is_refused_whoever_vouches_for_it() {
    let authority = Authority::new("other.example");
    let address = authority.serve(OK.into()).await;
    let right = [thumbprint(&authority.root)];
    for (roots, thumbprints) in [(authority.roots(), &[][..]), (RootCertStore::empty(), &right[..])] {
        let refused = ask(roots, address, thumbprints).await;
        assert!(matches!(refused, Err(FetchError::Unreachable(..))), "{refused:?}");
    }
}

/// An access token goes to its provider and nowhere else.
#[tokio::test]
async fn a_query_is_asked_and_in_no_error() {
    let authority = Authority::new("localhost");
    let query = Secret::new("access_token=Atza%7Csecret");
    for answer in [OK, "HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n", "no HTTP\r\n\r\n"] {
        let (address, heads) = authority.serve_and_tell(answer.into()).await;
        let url = format!("https://localhost:{}/info", address.port());
        let wanted = Wanted {
            url: &url,
            query: Some(&query),
            form: None,
            bytes_max: 1000,
            insecure: Some(&url),
            thumbprints: &[],
            place: place(),
        };
        assert!(!format!("{wanted:?}").contains("Atza"));
        let outbound = Outbound::new(OutboundRules::default(), authority.roots());
        let outcome = outbound.fetch(wanted).await;
        assert!(!format!("{outcome:?}").contains("Atza"), "{outcome:?}");
        assert_eq!(outcome.is_ok(), answer == OK);
        let head = heads.lock().unwrap().pop().unwrap();
        assert!(head.starts_with("GET /info?access_token=Atza%7Csecret HTTP/1.1\r\n"), "{head}");
    }
}

/// Of a refusal its status and the word of RFC 6749, section 5.2, and nothing else.
#[tokio::test]
async fn a_form_that_is_refused_is_told_by_its_status_and_one_word() {
    let authority = Authority::new("localhost");
    let (body, authorization) = (Secret::new("code=hidden"), Secret::new("Basic hidden"));
    let json = r#"{"error":"invalid_client","error_description":"hidden"}"#;
    let too_long = format!(r#"{{"error":"invalid_client","more":"{}"}}"#, "x".repeat(1000));
    for (status, said, expected) in [
        ("401 Unauthorized", json, "answers 401, error=invalid_client"),
        ("500 Internal Server Error", "", "answers 500"),
        ("302 Found", json, "answers 302, error=invalid_client"),
        ("401 Unauthorized", too_long.as_str(), "answers 401"),
    ] {
        let answer = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n{said}", said.len());
        let (address, heads) = authority.serve_and_tell(answer).await;
        let url = format!("https://localhost:{}/token", address.port());
        let outbound = Outbound::new(OutboundRules::default(), authority.roots());
        let wanted = Wanted {
            url: &url,
            query: None,
            form: Some(Form { body: &body, authorization: Some(&authorization) }),
            bytes_max: 1000,
            insecure: Some(&url),
            thumbprints: &[],
            place: place(),
        };
        let refused = outbound.fetch(wanted).await.unwrap_err();
        assert_eq!(refused.to_string(), format!("`{url}` {expected}"));
        assert!(!format!("{refused:?}").contains("hidden"), "{refused:?}");
        assert!(heads.lock().unwrap().pop().unwrap().starts_with("POST /token HTTP/1.1\r\n"));
    }
}

#[tokio::test]
async fn redirects_errors_and_long_answers_are_not_followed_nor_read() {
    let authority = Authority::new("localhost");
    for (answer, status) in [
        ("HTTP/1.1 302 Found\r\nlocation: http://169.254.169.254/\r\ncontent-length: 0\r\n\r\n", 302),
        ("HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n", 404),
        ("HTTP/1.1 204 No Content\r\n\r\n", 204),
    ] {
        let address = authority.serve(answer.into()).await;
        let refused = ask(authority.roots(), address, &[]).await;
        assert!(matches!(refused, Err(FetchError::Status(_, found)) if found == status), "{refused:?}");
    }
    for head in ["content-length: 1001", "connection: close"] {
        let address = authority.serve(format!("HTTP/1.1 200 OK\r\n{head}\r\n\r\n{}", "x".repeat(1001))).await;
        let refused = ask(authority.roots(), address, &[]).await;
        assert!(matches!(refused, Err(FetchError::TooLong(_))), "{refused:?}");
    }
    let address = authority.serve("no HTTP\r\n\r\n".into()).await;
    let refused = ask(authority.roots(), address, &[]).await;
    assert!(matches!(refused, Err(FetchError::Unreachable(..))), "{refused:?}");
}

#[tokio::test]
async fn networks_that_only_this_machine_sees_are_asked_only_when_listed() {
    let rules = |networks: &[&str]| OutboundRules {
        private_networks: networks.iter().map(|network| network.parse().unwrap()).collect(),
        proxy: None,
    };
    let ask = async |rules: OutboundRules, url: &str| {
        let outbound = Outbound::new(rules, RootCertStore::empty());
        outbound
            .fetch(Wanted {
                url,
                query: None,
                form: None,
                bytes_max: 10,
                insecure: None,
                thumbprints: &[],
                place: place(),
            })
            .await
            .unwrap_err()
    };
    for url in [
        "https://localhost/",
        "https://127.0.0.1/",
        "https://[::1]/",
        "https://[::ffff:10.0.0.1]/",
        "https://169.254.169.254/latest",
        "https://0/",
    ] {
        let refused = ask(rules(&["192.168.0.0/16"]), url).await;
        assert!(matches!(refused, FetchError::NotPublic(_)), "{url}: {refused:?}");
    }
    // Nobody listens there, which is found out only by asking.
    let asked = ask(rules(&["127.0.0.0/8"]), "https://127.0.0.1/").await;
    assert!(matches!(asked, FetchError::Unreachable(..)), "{asked:?}");
}

#[tokio::test]
async fn a_proxy_is_told_host_and_port_and_private_addresses_are_refused_before_it() {
    let authority = Authority::new("issuer.example");
    let server = authority.serve(OK.into()).await;
    let proxy = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = proxy.local_addr().unwrap();
    let told = tokio::spawn(async move {
        let (mut client, _) = proxy.accept().await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(client.read_u8().await.unwrap());
        }
        let mut behind = tokio::net::TcpStream::connect(server).await.unwrap();
        client.write_all(b"HTTP/1.1 200 Connected\r\n\r\n").await.unwrap();
        let _ = tokio::io::copy_bidirectional(&mut client, &mut behind).await;
        String::from_utf8(head).unwrap()
    });
    let rules = OutboundRules { private_networks: Vec::new(), proxy: Some(address.to_string()) };
    let outbound = Outbound::new(rules, authority.roots());
    fn wanted(url: &str) -> Wanted<'_> {
        Wanted {
            url,
            query: None,
            form: None,
            bytes_max: 10,
            insecure: None,
            thumbprints: &[],
            place: place(),
        }
    }
    for host in [
        "127.0.0.1",
        "127.0.0.1.",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0x7F.1",
        "0x",
        "1.2.3.0xa",
        "0177.0.0.1",
        "10.0.0.1..",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "localhost",
        "LOCALHOST",
        "a.localhost",
        "localhost.",
        "issuer.example.",
    ] {
        let refused = outbound.fetch(wanted(&format!("https://{host}/"))).await;
        assert!(matches!(refused, Err(FetchError::NotPublic(_))), "{host}: {refused:?}");
    }
    assert_eq!(outbound.fetch(wanted("https://issuer.example/keys")).await.unwrap().body, b"{}");
    drop(outbound);
    assert!(
        told.await
            .unwrap()
            .starts_with("CONNECT issuer.example:443 HTTP/1.1\r\nHost: issuer.example:443\r\n")
    );
}

/// Says when it is dropped.
struct Told(std::sync::mpsc::Sender<()>);

impl Drop for Told {
    fn drop(&mut self) {
        let _ = self.0.send(());
    }
}

#[tokio::test]
async fn a_look_up_keeps_its_place_until_it_is_at_its_end() {
    /// Looks up until the test lets it go: one side tells that it began, the other waits.
    static BARRIER: std::sync::Barrier = std::sync::Barrier::new(2);
    let mut outbound = Outbound::new(OutboundRules::default(), RootCertStore::empty());
    outbound.look_up = |_, _| {
        BARRIER.wait();
        BARRIER.wait();
        Ok(Vec::new())
    };
    let (sender, given_back) = std::sync::mpsc::channel();
    let place = Place::holding(Arc::new(Told(sender)));
    let url = "https://slow.example/";
    let fetching = tokio::spawn(async move {
        let wanted =
            Wanted { url, query: None, form: None, bytes_max: 10, insecure: None, thumbprints: &[], place };
        outbound.fetch(wanted).await
    });
    tokio::task::spawn_blocking(|| BARRIER.wait()).await.unwrap();
    fetching.abort();
    assert!(fetching.await.unwrap_err().is_cancelled());
    let is_held = given_back.try_recv().is_err();
    tokio::task::spawn_blocking(|| BARRIER.wait()).await.unwrap();
    assert!(is_held, "the look-up went on without its place");
    tokio::task::spawn_blocking(move || given_back.recv().unwrap()).await.unwrap();
}

#[test]
fn what_a_server_says_of_keeping_is_read() {
    let age = |values: &[&'static str]| {
        let headers = values.iter().map(|value| (CACHE_CONTROL, http::HeaderValue::from_static(value)));
        max_age(&headers.collect())
    };
    assert_eq!(age(&[]), None);
    assert_eq!(age(&["public, max-age=3600"]), Some(3600));
    assert_eq!(age(&["public", "Max-Age=\"60\""]), Some(60));
    assert_eq!(age(&["no-store, max-age=60"]), Some(0));
    assert_eq!(age(&["max-age=soon"]), None);
    assert_eq!(age(&["s-maxage=7"]), None);
}
