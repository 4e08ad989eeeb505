//! Settings whose text has a form of its own.

use std::net::IpAddr;

use daypass_model::Authority;
use daypass_service::Services;
use daypass_service::doors::ConsoleDestination;
use ipnet::IpNet;

use crate::failure::Failure;

/// Header names in lower case, none of them one that says what the request is or who signed it: unsigned, whoever is
/// on the way could choose the operation.
pub(super) fn tolerable(names: &[String]) -> Result<Vec<String>, Failure> {
    const MEANINGFUL: [&str; 8] = [
        "authorization",
        "content-type",
        "host",
        "x-amz-content-sha256",
        "x-amz-date",
        "x-amz-region-set",
        "x-amz-security-token",
        "x-amz-target",
    ];
    let names: Vec<String> = names.iter().map(|name| name.trim().to_ascii_lowercase()).collect();
    // A header of another name never comes, and the one that was meant would be refused.
    if let Some(name) = names.iter().find(|name| http::HeaderName::from_bytes(name.as_bytes()).is_err()) {
        return Err(Failure::new(format!(
            "--tolerate-unsigned-header {name:?}: this is no name of a header; give letters, digits and hyphens, such as x-amz-cf-id"
        )));
    }
    match names.iter().find(|name| MEANINGFUL.contains(&name.as_str())) {
        Some(name) => Err(Failure::new(format!(
            "--tolerate-unsigned-header {name}: this header has a meaning; it must be signed"
        ))),
        None => Ok(names),
    }
}

/// What was given by flag or environment, else what the file says.
pub(super) fn either(given: Vec<String>, in_file: Vec<String>) -> Vec<String> {
    if given.is_empty() { in_file } else { given }
}

/// Networks in CIDR form, or single addresses.
pub(super) fn networks(flag: &str, texts: &[String]) -> Result<Vec<IpNet>, Failure> {
    let network = |text: &str| {
        let net = text.parse().or_else(|_| text.parse::<IpAddr>().map(IpNet::from)).ok()?;
        // Nobody trusts everybody, but whoever mistypes a length.
        (net.prefix_len() > 0).then_some(net.trunc())
    };
    let network = |text: &String| {
        network(text.trim()).ok_or_else(|| {
            Failure::new(format!(
                "{flag} {text:?}: give a network that is yours, such as 10.1.2.0/24, or single addresses"
            ))
        })
    };
    texts.iter().map(network).collect()
}

/// Places that a sign-in may lead to.
pub(super) fn destinations(texts: &[String]) -> Result<Vec<ConsoleDestination>, Failure> {
    let place = |text: &String| {
        text.trim().parse().map_err(|why| Failure::new(format!("--console-destination {text}: {why}")))
    };
    texts.iter().map(place).collect()
}

/// Which accounts run services, as `NAME=ACCOUNT`.
pub(super) fn services(texts: &[String]) -> Result<Services, Failure> {
    let mut services = Services::default();
    for text in texts {
        let refused = |why: &dyn std::fmt::Display| Failure::new(format!("--service {text}: {why}"));
        let (name, account) = text
            .trim()
            .split_once('=')
            .and_then(|(name, account)| Some((name, account.parse().ok()?)))
            .ok_or_else(|| {
                refused(&"give the name and the account, such as scheduler.internal=111122223333")
            })?;
        services.register(name, account).map_err(|why| refused(&why))?;
    }
    Ok(services)
}

/// The authority of the public URL.
pub(super) fn authority(url: &str) -> Result<Authority, Failure> {
    url.parse().map_err(|_| {
        Failure::new(format!(
            "--public-url {url}: give an http or https URL without a path, such as https://sts.example.com"
        ))
    })
}
