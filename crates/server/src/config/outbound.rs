//! How identity providers are asked, as the operator gives it.

use daypass_model::Authority;

use crate::failure::Failure;

/// Issuers that are listed as insecure, each an absolute URL.
///
/// # Errors
/// One is none: it would allow nothing, and nobody would see why.
pub(super) fn insecure_issuers(texts: Vec<String>) -> Result<Vec<String>, Failure> {
    match texts.iter().find(|text| Authority::split_url(text).is_err()) {
        Some(text) => Err(Failure::new(format!(
            "--allow-insecure-issuer {text:?}: give the issuer as its tokens do, such as http://127.0.0.1:8080/realms/test"
        ))),
        None => Ok(texts),
    }
}

/// `host:port` of the proxy.
///
/// # Errors
/// It is no http URL without a path.
pub(super) fn proxy(url: &str) -> Result<String, Failure> {
    let authority = url.parse::<Authority>().ok().filter(|authority| !authority.is_https());
    let authority = authority.ok_or_else(|| {
        Failure::new(format!(
            "--outbound-proxy {url:?}: give an http URL without a path, such as http://proxy.example:3128"
        ))
    })?;
    Ok(format!("{}:{}", authority.host(), authority.port()))
}
