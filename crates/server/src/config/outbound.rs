//! How identity providers are asked, as the operator gives it.

use std::mem::take;

use daypass_model::Authority;
use daypass_service::federation::{BuiltIn, Issuers, discovery_url};

use super::values::{either, networks};
use super::{ConfigFile, ServeArgs};
use crate::failure::Failure;
use crate::outbound::{OutboundRules, could_be_asked};

/// The settings that are about identity providers' servers.
///
/// # Errors
/// One is out of its range.
pub(super) fn issuers(
    args: &mut ServeArgs,
    file: &mut ConfigFile,
) -> Result<(Issuers, OutboundRules), Failure> {
    let private = either(take(&mut args.allow_private_network), take(&mut file.allow_private_network));
    let insecure = either(take(&mut args.allow_insecure_issuer), take(&mut file.allow_insecure_issuer));
    let through = args.outbound_proxy.take().or(file.outbound_proxy.take());
    let rules = OutboundRules {
        private_networks: networks("--allow-private-network", &private)?,
        proxy: through.as_deref().map(proxy).transpose()?,
    };
    let issuers = Issuers {
        insecure,
        google_discovery_url: args.google_discovery_url.take().or(file.google_discovery_url.take()),
        cognito_discovery_url: args.cognito_discovery_url.take().or(file.cognito_discovery_url.take()),
        amazon_token_info_url: args.amazon_token_info_url.take().or(file.amazon_token_info_url.take()),
        facebook_graph_url: args.facebook_graph_url.take().or(file.facebook_graph_url.take()),
    };
    Ok((checked(issuers, &rules)?, rules))
}

/// What is allowed of issuers, once each could be asked: a setting that names nobody allows nothing, and no caller can see why.
///
/// # Errors
/// One could not.
fn checked(issuers: Issuers, rules: &OutboundRules) -> Result<Issuers, Failure> {
    for issuer in &issuers.insecure {
        let url = discovery_url(issuer);
        could_be_asked(rules, &url, Some(issuer)).map_err(|why| {
            Failure::new(format!(
                "--allow-insecure-issuer {issuer:?}: {why}; give the issuer as its tokens do, such as http://127.0.0.1:8080/realms/test"
            ))
        })?;
    }
    for (flag, built_in, url) in [
        ("--google-discovery-url", BuiltIn::Google, &issuers.google_discovery_url),
        ("--cognito-discovery-url", BuiltIn::Cognito, &issuers.cognito_discovery_url),
    ] {
        let Some(url) = url else { continue };
        let issuer = built_in.issuer();
        let insecure = issuers.is_insecure(issuer).then_some(issuer);
        could_be_asked(rules, url, insecure).map_err(|why| {
            Failure::new(format!(
                "{flag} {url:?}: {why}; give the https URL of a discovery document, such as {}",
                discovery_url(issuer)
            ))
        })?;
    }
    for (flag, url, example) in [
        (
            "--amazon-token-info-url",
            &issuers.amazon_token_info_url,
            "https://api.amazon.com/auth/O2/tokeninfo",
        ),
        ("--facebook-graph-url", &issuers.facebook_graph_url, "https://graph.facebook.com/v24.0"),
    ] {
        let Some(url) = url else { continue };
        let asked = could_be_asked(rules, url, issuers.is_insecure(url).then_some(url));
        let asked = asked.and_then(|()| if url.contains('?') { Err("it has a query") } else { Ok(()) });
        asked.map_err(|why| {
            Failure::new(format!("{flag} {url:?}: {why}; give an https URL, such as {example}"))
        })?;
    }
    Ok(issuers)
}

/// `host:port` of the proxy.
///
/// # Errors
/// It is no http URL without a path.
fn proxy(url: &str) -> Result<String, Failure> {
    let authority = url.parse::<Authority>().ok().filter(|authority| !authority.is_https());
    let authority = authority.ok_or_else(|| {
        Failure::new(format!(
            "--outbound-proxy {url:?}: give an http URL without a path, such as http://proxy.example:3128"
        ))
    })?;
    Ok(format!("{}:{}", authority.host(), authority.port()))
}
