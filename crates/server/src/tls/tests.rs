//! Pairs that are none, certificates of another time, and a client that says nothing.

use std::path::Path;

use daypass_model::MockClock;
use rcgen::{CertificateParams, KeyPair};
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;

use super::*;
use crate::scratch::Scratch;

const NOW: i64 = 1_800_000_000;

/// Files with a certificate that counts for so many seconds around now.
fn write(dir: &Path, key: &KeyPair, from: i64, until: i64) -> TlsFiles {
    let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let at =
        |seconds: i64| std::time::UNIX_EPOCH + Duration::from_secs(u64::try_from(NOW + seconds).unwrap());
    (params.not_before, params.not_after) = (at(from).into(), at(until).into());
    let files = TlsFiles { cert: dir.join("cert"), key: dir.join("key") };
    std::fs::write(&files.cert, params.self_signed(key).unwrap().pem()).unwrap();
    std::fs::write(&files.key, key.serialize_pem()).unwrap();
    files
}

fn open(files: TlsFiles) -> Arc<Tls> {
    Tls::open(files, Arc::new(MockClock::at(Timestamp::from_second(NOW).unwrap()))).unwrap()
}

#[test]
fn what_is_no_pair_is_told_by_its_file_and_never_by_its_content() {
    let dir = Scratch::new("pair");
    let key = KeyPair::generate().unwrap();
    let files = write(dir.path(), &key, -10, 10);
    assert!(Pair::read(&files).is_ok());
    let line = |cert: &str, key: &str| {
        std::fs::write(&files.cert, cert).unwrap();
        std::fs::write(&files.key, key).unwrap();
        Pair::read(&files).err().unwrap().to_string()
    };
    let (cert, secret) = (std::fs::read_to_string(&files.cert).unwrap(), key.serialize_pem());
    let another = KeyPair::generate().unwrap().serialize_pem();
    let inside: String = secret.lines().nth(1).unwrap().into();
    for (cert, key, why) in [
        (cert.as_str(), another.as_str(), "not the key of the first certificate"),
        (secret.as_str(), secret.as_str(), "no certificate in it"),
        ("", secret.as_str(), "no certificate in it"),
        (cert.as_str(), cert.as_str(), "no private key in PEM"),
        (cert.as_str(), "", "no private key in PEM"),
        ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", secret.as_str(), "cannot be read"),
        (
            "-----BEGIN CERTIFICATE-----\n?\n-----END CERTIFICATE-----\n",
            secret.as_str(),
            "no certificate in PEM",
        ),
    ] {
        let line = line(cert, key);
        assert!(line.contains(why) && line.contains(&dir.path().display().to_string()), "{line}");
        assert!(!line.contains(&inside), "{line}");
    }
    std::fs::write(&files.cert, &cert).unwrap();
    std::fs::remove_file(&files.key).unwrap();
    assert!(Pair::read(&files).err().unwrap().to_string().contains("key` cannot be read"));
}

#[test]
fn a_certificate_is_taken_when_it_is_new_and_good_and_otherwise_the_one_before_stays() {
    let dir = Scratch::new("reload");
    let key = KeyPair::generate().unwrap();
    let until = |seconds: i64| Timestamp::from_second(NOW + seconds).unwrap();
    let tls = open(write(dir.path(), &key, -10, 100));
    assert_eq!((tls.expires(), tls.health()), (until(100), format!("certificate until {}", until(100))));
    for (from, to, why) in [(-100, -50, "ended at"), (50, 100, "counts from")] {
        write(dir.path(), &key, from, to);
        tls.look(false);
        assert_eq!(tls.expires(), until(100));
        let health = tls.health();
        assert!(health.contains(why) && health.contains("is still in use"), "{health}");
    }
    // In two steps, as a program that writes two files does it.
    let new = KeyPair::generate().unwrap();
    write(dir.path(), &new, -10, 200);
    std::fs::write(dir.join("key"), "half").unwrap();
    tls.look(false);
    assert!(tls.health().contains("no private key"));
    std::fs::write(dir.join("key"), new.serialize_pem()).unwrap();
    tls.look(false);
    assert_eq!((tls.expires(), tls.health()), (until(200), format!("certificate until {}", until(200))));
    std::fs::remove_file(dir.join("cert")).unwrap();
    tls.look(true);
    assert!(tls.expires() == until(200) && tls.health().contains("cert` cannot be read"));
}

#[test]
fn a_certificate_that_is_over_is_used_and_told_of() {
    let dir = Scratch::new("over");
    let tls = open(write(dir.path(), &KeyPair::generate().unwrap(), -100, -50));
    assert!(tls.health().starts_with("the certificate ended at"), "{}", tls.health());
}

#[test]
fn the_end_of_a_certificate_is_told_of_once_a_day_when_it_is_near_and_when_it_has_come() {
    const DAYS: i64 = 24 * 60 * 60;
    let dir = Scratch::new("reminder");
    let key = KeyPair::generate().unwrap();
    let tls = open(write(dir.path(), &key, -10, 20 * DAYS));
    let at = |seconds: i64| {
        let now = Timestamp::from_second(NOW + seconds).unwrap();
        tls.current.change(|state| state.reminder(now)).unwrap_or_default()
    };
    assert_eq!(at(0), "");
    assert_eq!(at(6 * DAYS), "", "two weeks are left");
    assert!(at(6 * DAYS + 1).contains("ends in 13 days, at "), "told of at once");
    assert_eq!((at(6 * DAYS + 2), at(7 * DAYS)), Default::default());
    assert!(at(7 * DAYS + 1).contains("ends in 12 days"));
    assert!(at(20 * DAYS).contains("ends in 0 days"));
    assert!(at(20 * DAYS + 1).contains("ended at "), "whenever it was told of last");
    assert_eq!(at(20 * DAYS + 2), "");
    assert!(at(21 * DAYS + 1).contains("ended at "));
    write(dir.path(), &key, -10, 10 * DAYS);
    tls.look(true);
    assert!(at(0).contains("ends in 10 days"), "of a new one at once");
}

#[test]
fn a_pipe_in_the_place_of_a_file_holds_nothing_up_and_a_link_to_a_good_one_is_taken() {
    let dir = Scratch::new("pipe");
    let key = KeyPair::generate().unwrap();
    let files = write(dir.path(), &key, -10, 10);
    let tls = open(files.clone());
    for file in [&files.cert, &files.key] {
        let aside = dir.join("aside");
        std::fs::rename(file, &aside).unwrap();
        assert!(std::process::Command::new("mkfifo").arg(file).status().unwrap().success());
        tls.look(true);
        let told = tls.health();
        assert!(told.contains("it is not a regular file") && told.contains("still in use"), "{told}");
        std::fs::remove_file(file).unwrap();
        std::os::unix::fs::symlink("/dev/zero", file).unwrap();
        tls.look(true);
        assert!(tls.health().contains("it is not a regular file"), "{}", tls.health());
        std::fs::remove_file(file).unwrap();
        std::fs::rename(&aside, dir.join("mounted")).unwrap();
        std::os::unix::fs::symlink(dir.join("mounted"), file).unwrap();
        tls.look(false);
        assert!(tls.health().starts_with("certificate until"), "{}", tls.health());
        std::fs::remove_file(file).unwrap();
        std::fs::rename(dir.join("mounted"), file).unwrap();
    }
}

#[tokio::test]
async fn a_handshake_that_nobody_goes_on_with_ends() {
    let dir = Scratch::new("silent");
    let tls = open(write(dir.path(), &KeyPair::generate().unwrap(), -10, 10));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut silent = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let (stream, _) = listener.accept().await.unwrap();
    tokio::time::pause();
    let begun = tokio::time::Instant::now();
    let error = tls.accept(stream).await.err().unwrap();
    assert_eq!(
        (error.kind(), begun.elapsed().as_secs()),
        (io::ErrorKind::TimedOut, HANDSHAKE_TIME_MAX.as_secs())
    );
    assert_eq!(silent.read(&mut [0]).await.unwrap(), 0);
}
