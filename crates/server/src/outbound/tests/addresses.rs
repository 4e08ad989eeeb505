//! A name leads where it led when it was looked up, and only there where it may (DNS rebinding).

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener};
use std::sync::{Mutex, OnceLock};

use daypass_service::federation::{Fetch as _, FetchError, Fetched, Wanted};
use rustls::RootCertStore;

use super::{Authority, OK, Outbound, OutboundRules, place};

/// Somebody whom only this machine sees, and who ought never to be visited.
struct Inside(TcpListener);

impl Inside {
    /// No test reaches a public address: 127.0.0.1 is listed and stands for one, 127.0.0.2 is not.
    fn new() -> Inside {
        let listener = TcpListener::bind("127.0.0.2:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        Inside(listener)
    }

    fn address(&self) -> SocketAddr {
        self.0.local_addr().unwrap()
    }

    /// Whoever connected waits to be accepted.
    fn was_visited(&self) -> bool {
        !matches!(self.0.accept(), Err(error) if error.kind() == ErrorKind::WouldBlock)
    }
}

async fn ask(outbound: &Outbound, host: &str) -> Result<Fetched, FetchError> {
    let url = format!("https://{host}/keys");
    let wanted = Wanted {
        url: &url,
        query: None,
        form: None,
        bytes_max: 10,
        insecure: None,
        thumbprints: &[],
        place: place(),
    };
    outbound.fetch(wanted).await
}

#[tokio::test]
async fn a_name_is_looked_up_once_and_only_those_of_its_addresses_are_asked_that_may_be() {
    /// What names lead to when they are looked up for the first time.
    static FIRST: OnceLock<BTreeMap<&str, Vec<SocketAddr>>> = OnceLock::new();
    /// What every name leads to from then on: somebody changes it as soon as it was checked.
    static LATER: OnceLock<SocketAddr> = OnceLock::new();
    static LOOKED_UP: Mutex<Vec<(String, u16)>> = Mutex::new(Vec::new());

    let authority = Authority::new("both.example");
    let (outside, told) = authority.serve_and_tell(OK.into()).await;
    let inside = Inside::new();
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    FIRST
        .set(BTreeMap::from([
            ("both.example", vec![inside.address(), outside]),
            ("away.example", vec![nobody, inside.address()]),
            ("inside.example", vec![inside.address()]),
        ]))
        .unwrap();
    LATER.set(inside.address()).unwrap();
    let rules = OutboundRules { private_networks: vec!["127.0.0.1/32".parse().unwrap()], proxy: None };
    let outbound = Outbound {
        look_up: |host, port| {
            let mut asked = LOOKED_UP.lock().unwrap();
            let again = asked.iter().any(|(earlier, _)| earlier == host);
            asked.push((host.to_owned(), port));
            Ok(if again { vec![*LATER.get().unwrap()] } else { FIRST.get().unwrap()[host].clone() })
        },
        ..Outbound::new(rules, authority.roots())
    };

    assert_eq!(ask(&outbound, "both.example").await.unwrap().body, b"{}");
    assert_eq!(told.lock().unwrap().len(), 1);
    // Where nobody answers, the address that was passed over is none to fall back to.
    let away = ask(&outbound, "away.example").await;
    assert!(matches!(away, Err(FetchError::Unreachable(..))), "{away:?}");
    let only_inside = ask(&outbound, "inside.example").await;
    assert!(matches!(only_inside, Err(FetchError::NotPublic(_))), "{only_inside:?}");

    assert!(!inside.was_visited());
    let once = ["both.example", "away.example", "inside.example"].map(|host| (host.to_owned(), 443));
    assert_eq!(*LOOKED_UP.lock().unwrap(), once);
}

/// The same name, each time it is asked anew, is looked up and checked anew: nothing that was found out once is believed later.
#[tokio::test]
async fn a_name_that_leads_inside_the_next_time_is_refused_then() {
    static ADDRESSES: Mutex<Vec<SocketAddr>> = Mutex::new(Vec::new());
    let authority = Authority::new("moves.example");
    let outside = authority.serve(OK.into()).await;
    let inside = Inside::new();
    ADDRESSES.lock().unwrap().extend([inside.address(), outside]);
    let rules = OutboundRules { private_networks: vec!["127.0.0.1/32".parse().unwrap()], proxy: None };
    let outbound = Outbound {
        look_up: |_, _| Ok(ADDRESSES.lock().unwrap().pop().into_iter().collect()),
        ..Outbound::new(rules, authority.roots())
    };
    assert_eq!(ask(&outbound, "moves.example").await.unwrap().body, b"{}");
    let refused = ask(&outbound, "moves.example").await;
    assert!(matches!(refused, Err(FetchError::NotPublic(_))), "{refused:?}");
    assert!(!inside.was_visited());
}

/// Whoever names nothing is asked nothing.
#[tokio::test]
async fn a_name_without_addresses_is_refused() {
    let outbound = Outbound {
        look_up: |_, _| Ok(Vec::new()),
        ..Outbound::new(OutboundRules::default(), RootCertStore::empty())
    };
    let refused = ask(&outbound, "nobody.example").await;
    assert!(matches!(refused, Err(FetchError::NotPublic(_))), "{refused:?}");
}
