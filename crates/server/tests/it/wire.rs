//! The API over a real socket, on the server library: expiry with a clock that the test moves, the two wire
//! formats, and requests that are too much.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;

use daypass_authn::SystemRandom;
use daypass_authn::sigv4::{Credentials, HttpRequest, SignatureForm, sign};
use daypass_model::{Clock, MockClock, Secret};
use daypass_server::assemble::{Assembled, assemble_with};
use daypass_server::config::{Config, ServeArgs};
use daypass_server::http::{Api, CONNECTIONS_MAX, serve};

use crate::binary::Scratch;

/// A server on a free port whose clock stands at 2026-01-15T12:00:00Z.
pub struct Running {
    pub address: SocketAddr,
    clock: Arc<MockClock>,
    pub keys: Keys,
    runtime: tokio::runtime::Runtime,
    _dir: Scratch,
}

#[derive(Clone)]
pub struct Keys {
    pub id: String,
    secret: String,
    token: Option<String>,
}

pub struct Answer {
    pub head: String,
    pub body: String,
}

impl Running {
    pub fn start() -> Self {
        let dir = Scratch::new("wire");
        let clock = Arc::new(MockClock::at("2026-01-15T12:00:00Z".parse().unwrap()));
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let config =
            Config::load(ServeArgs { data: Some(dir.join("data")), ..ServeArgs::default() }).unwrap();
        let (address, keys) = runtime.block_on(async {
            let assembled = assemble_with(&config, clock.clone(), Arc::new(SystemRandom)).await.unwrap();
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            let Assembled { house, metrics, random, first, data, .. } = assembled;
            let first = first.unwrap();
            let secret = first.secret.unwrap().expose_str().to_owned();
            tokio::spawn(async move {
                let _data = data; // held for as long as the server runs
                let api = Api {
                    house,
                    random,
                    metrics,
                    connections_max: CONNECTIONS_MAX,
                    trusted_proxies: Vec::new().into(),
                };
                serve(listener, Arc::new(api), std::future::pending()).await;
            });
            (address, Keys { id: first.access_key_id.to_string(), secret, token: None })
        });
        Self { address, clock, keys, runtime, _dir: dir }
    }

    pub fn send(&self, bytes: &[u8]) -> Answer {
        let mut stream = TcpStream::connect(self.address).unwrap();
        // A server that refuses early may close before it has read everything.
        drop(stream.write_all(bytes));
        let mut text = String::new();
        drop(stream.read_to_string(&mut text));
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((text.as_str(), ""));
        Answer { head: head.to_owned(), body: body.to_owned() }
    }

    pub fn form(&self, keys: &Keys, form: &str, more: &[(&str, &str)]) -> Answer {
        let mut request =
            HttpRequest::new("POST", "/", form.to_owned()).with_header("host", self.address.to_string());
        request = request.with_header("content-type", "application/x-www-form-urlencoded; charset=utf-8");
        for (name, value) in more {
            request = request.with_header(name, *value);
        }
        self.signed(keys, request, SignatureForm::Header)
    }

    fn signed(&self, keys: &Keys, request: HttpRequest, form: SignatureForm) -> Answer {
        self.raw(&self.sign(keys, request, form))
    }

    pub fn sign(&self, keys: &Keys, request: HttpRequest, form: SignatureForm) -> HttpRequest {
        self.sign_for("sts", keys, request, form)
    }

    pub fn sign_for(
        &self,
        service: &str,
        keys: &Keys,
        mut request: HttpRequest,
        form: SignatureForm,
    ) -> HttpRequest {
        let secret = Secret::new(keys.secret.as_str());
        let credentials = Credentials {
            access_key_id: &keys.id,
            secret_access_key: &secret,
            session_token: keys.token.as_deref(),
        };
        sign(&mut request, &credentials, "us-east-1", service, form, self.clock.now()).unwrap();
        request
    }

    pub fn raw(&self, request: &HttpRequest) -> Answer {
        let query = if request.query.is_empty() { String::new() } else { format!("?{}", request.query) };
        let mut bytes = format!("{} {}{query} HTTP/1.1\r\n", request.method, request.path).into_bytes();
        for (name, value) in &request.headers {
            bytes.extend([name.as_bytes(), b": ", value.as_slice(), b"\r\n"].concat());
        }
        bytes.extend(
            format!("connection: close\r\ncontent-length: {}\r\n\r\n", request.body.len()).as_bytes(),
        );
        bytes.extend(&request.body);
        self.send(&bytes)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Ends the server's tasks with it.
        let runtime = std::mem::replace(
            &mut self.runtime,
            tokio::runtime::Builder::new_current_thread().build().unwrap(),
        );
        runtime.shutdown_background();
    }
}

impl Answer {
    pub fn status(&self) -> &str {
        self.head.split(' ').nth(1).unwrap_or("")
    }

    fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.into_iter().find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    pub fn element(&self, name: &str) -> &str {
        let (_, rest) = self.body.split_once(&format!("<{name}>")).unwrap_or(("", ""));
        rest.split_once(&format!("</{name}>")).map_or("", |(text, _)| text)
    }
}

pub const WHO: &str = "Action=GetCallerIdentity&Version=2011-06-15";

#[test]
fn xml_and_json_answers_have_awss_form() {
    let server = Running::start();
    let xml = server.form(&server.keys, WHO, &[]);
    assert_eq!((xml.status(), xml.header("content-type")), ("200", Some("text/xml")));
    assert!(xml.body.starts_with("<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><GetCallerIdentityResult><Arn>arn:aws:iam::"), "{}", xml.body);
    assert!(xml.header("date").is_some(), "clients set their clocks by it");
    let id = xml.header("x-amzn-requestid").unwrap();
    assert_eq!(xml.element("RequestId"), id);
    let json = server.form(&server.keys, WHO, &[("accept", "application/json")]);
    assert_eq!(json.header("content-type"), Some("application/json"));
    let body: serde_json::Value = serde_json::from_str(&json.body).unwrap();
    let answer = &body["GetCallerIdentityResponse"];
    assert_eq!(answer["GetCallerIdentityResult"]["UserId"], answer["GetCallerIdentityResult"]["Account"]);
    assert_eq!(answer["ResponseMetadata"]["RequestId"], json.header("x-amzn-requestid").unwrap());
    let wrong = Keys { secret: "wrong".into(), ..server.keys.clone() };
    let error = server.form(&wrong, WHO, &[]);
    assert_eq!(error.status(), "403");
    assert!(
        error.body.starts_with("<ErrorResponse xmlns=")
            && error.body.contains("<Error><Type>Sender</Type><Code>SignatureDoesNotMatch</Code>"),
        "{}",
        error.body
    );
    let error = server.form(&wrong, WHO, &[("accept", "application/json")]);
    let body: serde_json::Value = serde_json::from_str(&error.body).unwrap();
    assert_eq!(
        (&body["Error"]["Code"], &body["Error"]["Type"]),
        (&"SignatureDoesNotMatch".into(), &"Sender".into())
    );
}

#[test]
fn a_session_ends_at_its_second() {
    let server = Running::start();
    let issued =
        server.form(&server.keys, "Action=GetSessionToken&Version=2011-06-15&DurationSeconds=900", &[]);
    assert_eq!(issued.element("Expiration"), "2026-01-15T12:15:00Z");
    let session = Keys {
        id: issued.element("AccessKeyId").into(),
        secret: issued.element("SecretAccessKey").into(),
        token: Some(issued.element("SessionToken").into()),
    };
    server.clock.advance(899);
    assert_eq!(server.form(&session, WHO, &[]).status(), "200");
    server.clock.advance(1);
    let expired = server.form(&session, WHO, &[]);
    assert_eq!((expired.status(), expired.element("Code")), ("403", "ExpiredToken"));
    assert_eq!(expired.element("Message"), "The security token included in the request is expired");
}

#[test]
fn a_presigned_url_lives_fifteen_minutes_whatever_it_says() {
    let server = Running::start();
    let mut url =
        HttpRequest::new("GET", &format!("/?{WHO}"), "").with_header("host", server.address.to_string());
    let secret = Secret::new(server.keys.secret.as_str());
    let credentials =
        Credentials { access_key_id: &server.keys.id, secret_access_key: &secret, session_token: None };
    sign(
        &mut url,
        &credentials,
        "us-east-1",
        "sts",
        SignatureForm::Presigned { expires_seconds: 60 },
        server.clock.now(),
    )
    .unwrap();
    server.clock.advance(900);
    assert_eq!(server.raw(&url).status(), "200");
    server.clock.advance(1);
    let late = server.raw(&url);
    assert_eq!((late.status(), late.element("Code")), ("403", "SignatureDoesNotMatch"));
    assert_eq!(
        late.element("Message"),
        "Signature expired: 20260115T120000Z is now earlier than 20260115T120001Z (20260115T121501Z - 15 min.)"
    );
    server.clock.advance(-1802);
    let early = server.raw(&url);
    assert_eq!(
        early.element("Message"),
        "Signature not yet current: 20260115T120000Z is still later than 20260115T115959Z (20260115T114459Z + 15 min.)"
    );
}

#[test]
fn what_is_too_large_is_refused_before_anybody_is_asked_who_they_are() {
    let server = Running::start();
    let body = format!("Action=GetCallerIdentity&Version=2011-06-15&X={}", "x".repeat(1024 * 1024));
    let request = HttpRequest::new("POST", "/", body).with_header("host", "x");
    let refused = server.raw(&request);
    assert_eq!((refused.status(), refused.element("Code")), ("413", "RequestEntityTooLargeException"));
    let mut many = HttpRequest::new("POST", "/", WHO).with_header("host", "x");
    for n in 0..200 {
        many = many.with_header(&format!("x-{n}"), "1");
    }
    assert_eq!(server.raw(&many).status(), "431");
    let long = HttpRequest::new("GET", &format!("/?{}", "x".repeat(128 * 1024)), "").with_header("host", "x");
    assert!(["431", "414"].contains(&server.raw(&long).status()));
    assert_eq!(server.form(&server.keys, WHO, &[]).status(), "200", "the server still answers");
}

#[test]
fn what_is_no_call_is_answered_in_order_and_never_by_a_panic() {
    let server = Running::start();
    for (bytes, status) in [
        (&b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"[..], "400"),
        (b"PUT / HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 0\r\n\r\n", "400"),
        (b"GET /?Action=%zz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n", "404"),
        (b"GET /?Action=GetCallerIdentity&Version=2011-06-15&Action=x HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n", "400"),
        (b"POST / HTTP/1.1\r\nhost: x\r\nx-amz-target: Nobody.Knows\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{}", "400"),
        (b"nonsense\r\n\r\n", "400"),
    ] {
        assert_eq!(server.send(bytes).status(), status, "{}", String::from_utf8_lossy(bytes));
    }
    let unsigned =
        server.send(format!("GET /?{WHO} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").as_bytes());
    assert_eq!((unsigned.status(), unsigned.element("Code")), ("403", "MissingAuthenticationToken"));
    let health = server.send(b"GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    assert!(health.status() == "200" && health.body.starts_with("daypass "));
}

#[test]
fn a_call_that_issues_credentials_drops_no_parameter_that_looks_like_a_signatures() {
    let server = Running::start();
    let issue = "Action=GetSessionToken&Version=2011-06-15";
    for name in
        ["Foo", "Expires", "Timestamp", "SignatureMethod", "X-Amz-Policy", "x-amz-policy", "X-Amz-Date"]
    {
        let once = server.form(&server.keys, &format!("{issue}&{name}=60"), &[]);
        assert_eq!((once.status(), once.element("Code")), ("400", "ValidationError"), "{name}");
        assert!(once.element("Message").contains(name), "{}", once.body);
        let twice = server.form(&server.keys, &format!("{issue}&{name}=1&{name}=2"), &[]);
        assert_eq!((twice.status(), twice.element("Code")), ("400", "MalformedInput"), "{name}");
    }
    let post = HttpRequest::new("POST", &format!("/?{issue}&X-Amz-Content-Sha256=x"), "")
        .with_header("host", server.address.to_string());
    let answer = server.signed(&server.keys, post, SignatureForm::Header);
    assert_eq!((answer.status(), answer.element("Code")), ("400", "ValidationError"));
    let presigned = SignatureForm::Presigned { expires_seconds: 60 };
    for (more, status) in [("", "200"), ("&X-Amz-Policy=x", "400"), ("&Expires=60", "400")] {
        let get = HttpRequest::new("GET", &format!("/?{issue}{more}"), "")
            .with_header("host", server.address.to_string());
        assert_eq!(server.signed(&server.keys, get, presigned).status(), status, "{more}");
    }
}

#[test]
fn a_body_that_does_not_say_what_it_is_is_searched_for_credentials_like_a_form() {
    let server = Running::start();
    let post = |more: &str| {
        let body = format!("{WHO}&{more}");
        let request = HttpRequest::new("POST", "/", body).with_header("host", server.address.to_string());
        server.signed(&server.keys, request, SignatureForm::Header)
    };
    assert_eq!(post("X=1").status(), "200", "a form without a content type is one");
    for more in ["AWSAccessKeyId=x", "SecurityToken=x", "signature=x", "X-Amz-Credential=x"] {
        let answer = post(more);
        assert_eq!((answer.status(), answer.element("Code")), ("400", "IncompleteSignature"), "{more}");
    }
}

#[test]
fn operations_are_called_by_get_or_post_only() {
    let server = Running::start();
    for (method, status) in [
        ("GET", "200"),
        ("POST", "200"),
        ("PUT", "400"),
        ("DELETE", "400"),
        ("PATCH", "400"),
        ("OPTIONS", "400"),
        ("HEAD", "400"),
        ("FOO", "400"),
        ("get", "400"),
    ] {
        let request =
            HttpRequest::new(method, &format!("/?{WHO}"), "").with_header("host", server.address.to_string());
        let answer = server.signed(&server.keys, request, SignatureForm::Header);
        assert_eq!(answer.status(), status, "{method}");
        if !matches!(method, "GET" | "POST" | "HEAD") {
            assert_eq!(answer.element("Message"), "An operation is called by GET or POST.", "{method}");
        }
    }
}
