//! TLS from files, from outside: what is spoken, what conditions hear of it, and new certificates while it runs.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

use rcgen::{CertificateParams, KeyPair};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use serde_json::Value;

use crate::binary::{Scratch, Server, daypass, run};
use crate::client::Client;
use crate::command_line::one_line;

type Stream = StreamOwned<ClientConnection, TcpStream>;

/// A new pair in `cert` and `key`; what a client trusts then.
fn write_pair(dir: &Path) -> CertificateDer<'static> {
    let key = KeyPair::generate().unwrap();
    let cert = CertificateParams::new(vec!["localhost".to_owned()]).unwrap().self_signed(&key).unwrap();
    // The key first: whoever looks between the two sees no pair.
    write_key(&dir.join("key"), &key.serialize_pem());
    fs::write(dir.join("cert"), cert.pem()).unwrap();
    cert.der().clone()
}

fn write_key(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

fn serve(dir: &Scratch) -> Server {
    Server::start_with(
        daypass(dir.path()).args(["serve", "--tls-cert", "cert", "--tls-key", "key"]),
        &dir.join("data"),
    )
}

/// A connection that trusts this certificate alone and offers these protocols.
fn connect(server: &Server, trusted: &CertificateDer<'static>, alpn: &[&str]) -> std::io::Result<Stream> {
    let mut roots = RootCertStore::empty();
    roots.add(trusted.clone()).unwrap();
    let mut config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
    let name = ServerName::try_from("localhost").unwrap();
    let connection = ClientConnection::new(Arc::new(config), name).unwrap();
    let mut stream = StreamOwned::new(connection, TcpStream::connect(&server.address)?);
    stream.conn.complete_io(&mut stream.sock)?;
    Ok(stream)
}

/// Status and body.
fn call(stream: &mut Stream, client: &Client, service: &str, form: &str) -> (u16, String) {
    stream.write_all(&client.request(service, form).0).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}

const WHO: &str = "Action=GetCallerIdentity&Version=2011-06-15";

#[test]
fn clients_speak_tls_and_conditions_hear_of_it() {
    let dir = Scratch::new("tls");
    let trusted = write_pair(dir.path());
    let server = serve(&dir);
    assert!(
        server.banner.contains(&format!("AWS_ENDPOINT_URL_STS=https://{}", server.address)),
        "{}",
        server.banner
    );
    let root = Client::root(&server, &dir.join("data"));
    let ask = |client: &Client, service: &str, form: &str| {
        call(&mut connect(&server, &trusted, &["http/1.1"]).unwrap(), client, service, form)
    };
    assert_eq!(ask(&root, "sts", WHO).0, 200);
    let iam = |form: &str| ask(&root, "iam", &format!("{form}&Version=2010-05-08&UserName=Ann"));
    assert_eq!(iam("Action=CreateUser").0, 200);
    let key: Value = serde_json::from_str(&iam("Action=CreateAccessKey").1).unwrap();
    let ann = root.with(&key["CreateAccessKeyResponse"]["CreateAccessKeyResult"]["AccessKey"]);
    let list = "Action=ListUsers&Version=2010-05-08";
    assert_eq!(ask(&ann, "iam", list).0, 403);
    let document = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"iam:ListUsers","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"true"}}}}"#;
    let document: String = document.bytes().map(|byte| format!("%{byte:02X}")).collect();
    assert_eq!(iam(&format!("Action=PutUserPolicy&PolicyName=p&PolicyDocument={document}")).0, 200);
    assert_eq!(ask(&ann, "iam", list).0, 200, "no public URL says so, but the connection does");

    // Plain HTTP is nothing here, and an older TLS is not either: the alert is protocol_version (RFC 8446, 6.2).
    let mut plain = TcpStream::connect(&server.address).unwrap();
    plain.write_all(&root.request("sts", WHO).0).unwrap();
    let mut answer = Vec::new();
    drop(plain.read_to_end(&mut answer));
    assert!(!answer.starts_with(b"HTTP"), "{answer:?}");
    let mut old = TcpStream::connect(&server.address).unwrap();
    old.write_all(&hello(0x02)).unwrap();
    let mut answer = Vec::new();
    drop(old.read_to_end(&mut answer));
    assert!(answer.first() == Some(&0x15) && answer.ends_with(&[2, 70]), "{answer:?}");
    assert!(server.admin("/readyz").contains("tls: certificate until "));
}

/// A ClientHello (RFC 5246, section 7.4.1.2) of TLS 1.`minor - 1` with one cipher suite.
fn hello(minor: u8) -> Vec<u8> {
    // The one extension is signature_algorithms with ECDSA over P-256, which would otherwise be missed first.
    let extensions = [0, 8, 0, 13, 0, 4, 0, 2, 4, 3];
    let body = [&[3, minor][..], &[7; 32], &[0], &[0, 2, 0xc0, 0x13], &[1, 0], &extensions].concat();
    let length = u8::try_from(body.len()).unwrap();
    [&[0x16, 3, 1, 0, length + 4, 1, 0, 0, length][..], &body].concat()
}

#[test]
fn http_2_is_spoken_with_those_who_prefer_it() {
    let dir = Scratch::new("tls-h2");
    let trusted = write_pair(dir.path());
    let server = serve(&dir);
    let agreed =
        |alpn: &[&str]| connect(&server, &trusted, alpn).unwrap().conn.alpn_protocol().map(<[u8]>::to_vec);
    assert_eq!(agreed(&["h2", "http/1.1"]).unwrap(), b"h2");
    assert_eq!(agreed(&["http/1.1"]).unwrap(), b"http/1.1");
    assert_eq!(agreed(&[]), None);
    assert!(connect(&server, &trusted, &["imap"]).is_err());
    let mut stream = connect(&server, &trusted, &["h2"]).unwrap();
    // The preface and empty SETTINGS (RFC 9113, sections 3.4 and 6.5): it answers with SETTINGS of its own.
    stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").unwrap();
    let mut frame = [0; 9];
    stream.read_exact(&mut frame).unwrap();
    assert_eq!((frame[3], &frame[5..]), (4, &[0, 0, 0, 0][..]));
}

#[test]
fn a_new_certificate_is_used_without_a_restart_and_a_bad_one_is_not() {
    let dir = Scratch::new("tls-new");
    let first = write_pair(dir.path());
    let server = serve(&dir);
    let root = Client::root(&server, &dir.join("data"));
    let is_shown = |trusted: &CertificateDer<'static>| connect(&server, trusted, &[]).is_ok();
    let mut old = connect(&server, &first, &[]).unwrap();

    // By a signal, at once; by itself, soon.
    let second = write_pair(dir.path());
    assert!(!is_shown(&write_other()));
    server.signal("HUP");
    while !is_shown(&second) {}
    assert!(!is_shown(&first));
    let third = write_pair(dir.path());
    while !is_shown(&third) {}
    assert_eq!(call(&mut old, &root, "sts", WHO).0, 200, "what was open is open still");

    fs::write(dir.join("key"), "no key").unwrap();
    let ready = loop {
        let ready = server.admin("/readyz");
        if ready.contains("tls: `") {
            break ready;
        }
    };
    assert!(ready.starts_with("HTTP/1.1 200"), "the one before is as good as it was: {ready}");
    assert!(ready.contains("no private key in PEM in it; the certificate before it, until "), "{ready}");
    assert!(is_shown(&third));
    let metrics = server.admin("/metrics");
    // rcgen's certificates end in the year 4096 unless told otherwise.
    let end = metrics.lines().find_map(|line| line.strip_prefix("daypass_tls_certificate_expiry_seconds "));
    assert_eq!(end, Some("67090118400"), "{metrics}");
    let (_, log) = server.stop();
    assert!(log.contains("SIGHUP") && log.contains("cannot be used, the ones before stay"), "{log}");
}

/// A certificate that nobody serves.
fn write_other() -> CertificateDer<'static> {
    rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap().cert.der().clone()
}

#[test]
fn half_a_pair_a_wrong_one_and_plain_http_beyond_loopback_are_refused_at_the_start() {
    let dir = Scratch::new("tls-refused");
    write_pair(dir.path());
    write_key(&dir.join("other"), &KeyPair::generate().unwrap().serialize_pem());
    for (args, why) in [
        (&["--tls-cert", "cert"][..], "give --tls-cert and --tls-key together"),
        (&["--tls-key", "key"], "give --tls-cert and --tls-key together"),
        (&["--tls-cert", "cert", "--tls-key", "other"], "not the key of the first certificate in `cert`"),
        (&["--tls-cert", "none", "--tls-key", "key"], "`none` cannot be read"),
        (&["--tls-cert", "cert", "--tls-key", "key", "--public-url", "http://a"], "give an https URL"),
        (
            &["--tls-cert", "cert", "--tls-key", "key", "--admin-listen", "0.0.0.0:0"],
            "--admin-listen 0.0.0.0:0: plain",
        ),
        (&["--trust-proxy", "10.0.0.0/8,x"], "--trust-proxy \"x\""),
        (&["--trust-proxy", "0.0.0.0/0"], "--trust-proxy \"0.0.0.0/0\""),
        (&["--trust-proxy", "::/0"], "--trust-proxy \"::/0\""),
    ] {
        let line = one_line(&run(dir.path(), &[&["serve", "--data", "data"], args].concat()));
        assert!(line.contains(why), "{line}");
        assert!(!dir.join("data/store.sqlite").exists());
    }
    let server = Server::start_as_told(daypass(dir.path()).args([
        "serve",
        "--data",
        "data",
        "--tls-cert",
        "cert",
        "--tls-key",
        "key",
        "--listen",
        "0.0.0.0:0",
        "--admin-listen",
        "127.0.0.1:0",
    ]));
    assert!(server.banner.contains("https://127.0.0.1:"), "with TLS no word of --allow-plain-http is needed");
}
