//! Settings that weaken what daypass promises, and what the shell tells AWS's SDKs and CLI.

use daypass_model::Authority;
use ipnet::IpNet;

use daypass_service::federation::Replay;

use super::{Finding, Patient, server};
use crate::banner::{export_line, shell_word, url_for_clients};
use crate::data_dir::names;

/// What the operator chose and should know of.
pub(super) fn settings(patient: &Patient) -> Vec<Finding> {
    let config = &patient.config;
    let mut findings = Vec::new();
    for (flag, address, tls) in
        [("--listen", config.listen, config.tls.is_some()), ("--admin-listen", config.admin_listen, false)]
    {
        if !tls && !address.ip().is_loopback() {
            let or_tls = if flag == "--listen" { "; or give --tls-cert and --tls-key" } else { "" };
            findings.push(Finding::warning(
                "settings",
                format!("{flag} {address} speaks plain HTTP to whoever reaches it: secrets and sessions can be read on the way{or_tls}"),
                patient.serve_line(flag, Some(&format!("127.0.0.1:{}", address.port()))),
            ));
        }
    }
    for name in &config.tolerated_unsigned_headers {
        findings.push(Finding::warning(
            "settings",
            format!("{name} is tolerated unsigned: whoever is on the way can set it; leave it out, of daypass.toml too, unless your proxy adds it"),
            without_header(name, patient),
        ));
    }
    if config.allow_signature_v2 {
        findings.push(Finding::warning(
            "settings",
            format!(
                "Signature Version 2 is accepted: it signs no header field, and whoever reads such a request on the way can send it again for fifteen minutes; `SigV2` in `{}` says who still needs it",
                config.audit_file.clone().unwrap_or_else(|| config.data.join(names::AUDIT)).display()
            ),
            patient.serve_line("--allow-signature-v2", Some("false")),
        ));
    }
    findings.extend(federation(patient));
    let is_behind_tls =
        config.public_authority.as_ref().is_some_and(Authority::is_https) && config.tls.is_none();
    if is_behind_tls && config.trusted_proxies.is_empty() {
        findings.push(Finding::warning(
            "settings",
            "--public-url is https and this server speaks plain HTTP: without --trust-proxy everybody is one address, in conditions, rations and the audit",
            patient.serve_line("--trust-proxy", Some("ADDRESS_OF_YOUR_PROXY")),
        ));
    }
    for net in &config.trusted_proxies {
        let (single, wide) = if net.addr().is_ipv4() { (32, 16) } else { (128, 48) };
        if net.prefix_len() < wide {
            findings.push(Finding::warning(
                "settings",
                format!("everybody in {net} is believed about where requests come from"),
                trusting_only(net, single, patient),
            ));
        }
    }
    findings
}

/// What is taken of identity providers beyond what is safe.
fn federation(patient: &Patient) -> Vec<Finding> {
    let (saml, sign_in) = (&patient.config.saml, &patient.config.sign_in);
    let mut findings = Vec::new();
    let mut weak = |is_weak: bool, says: String, flag: &str, safe: Option<&str>| {
        if is_weak {
            findings.push(Finding::warning("settings", says, patient.serve_line(flag, safe)));
        }
    };
    let says = "SAML assertions signed with SHA-1 are taken: such signatures can be forged with some effort";
    weak(saml.allow_sha1, says.into(), "--allow-saml-sha1", Some("false"));
    let says =
        "a SAML assertion counts as often as it is brought: whoever sees one may use it while it is young";
    weak(saml.replay == Replay::Off, says.into(), "--saml-replay", Some("per-role"));
    let says = "a sign-in link counts as often as it is followed: whoever sees one is signed in, for fifteen minutes";
    weak(sign_in.links_again, says.into(), "--sign-in-links-again", Some("false"));
    let is_on_the_way = |issuer: &&String| {
        Authority::split_url(issuer).is_ok_and(|(named, _)| !named.is_https() && !named.is_loopback())
    };
    for issuer in patient.config.issuers.insecure.iter().filter(is_on_the_way) {
        let says = format!(
            "the keys of {issuer} come over plain HTTP: whoever is on the way can sign tokens as that provider; leave it out, of daypass.toml too"
        );
        let others = patient.config.issuers.insecure.iter().filter(|other| *other != issuer);
        let others = others.map(String::as_str).collect::<Vec<_>>().join(",");
        weak(
            true,
            says,
            "--allow-insecure-issuer",
            Some(others.as_str()).filter(|others| !others.is_empty()),
        );
    }
    findings
}

/// A start that tolerates the others only.
fn without_header(name: &str, patient: &Patient) -> String {
    const FLAG: &str = "--tolerate-unsigned-header";
    let all = &patient.config.tolerated_unsigned_headers;
    let others: Vec<_> = all.iter().filter(|other| *other != name).map(String::as_str).collect();
    let others = others.join(",");
    patient.serve_line(FLAG, Some(others.as_str()).filter(|others| !others.is_empty()))
}

/// A start that trusts one address in the place of a network, and the others as before.
fn trusting_only(net: &IpNet, single: u8, patient: &Patient) -> String {
    let one = format!("ADDRESS_OF_YOUR_PROXY/{single}");
    let nets = patient.config.trusted_proxies.iter();
    let nets: Vec<_> = nets.map(|other| if other == net { one.clone() } else { other.to_string() }).collect();
    patient.serve_line("--trust-proxy", Some(&nets.join(",")))
}

/// Variables of AWS's SDKs ("AWS SDKs and Tools Reference Guide") that point elsewhere or against each other. Their
/// values are shown where they are addresses, never where they are keys.
pub(super) fn variables(patient: &Patient) -> Vec<Finding> {
    let config = &patient.config;
    let scheme = if config.tls.is_some() { "https" } else { "http" };
    // Whoever asks with other settings than the server's is told where that is.
    let running = if config.public_authority.is_none() { server::url(patient) } else { None };
    let url =
        running.unwrap_or_else(|| url_for_clients(config.public_authority.as_ref(), scheme, config.listen));
    let mut findings = endpoints(patient, &url);
    findings.extend(regions(patient, &url));
    findings.extend(keys(patient));
    findings.extend(others(patient, &url));
    if findings.is_empty() {
        findings.push(Finding::ok("shell", format!("AWS's SDKs and CLI are pointed at {url}")));
    }
    findings
}

fn set(patient: &Patient, name: &str) -> Option<String> {
    (patient.variable)(name).filter(|value| !value.is_empty())
}

fn endpoints(patient: &Patient, url: &str) -> Vec<Finding> {
    let region = patient.config.region_for_clients();
    let general = set(patient, "AWS_ENDPOINT_URL");
    let names = ["AWS_ENDPOINT_URL_STS", "AWS_ENDPOINT_URL_IAM", "AWS_ENDPOINT_URL_DAYPASS"];
    let mut findings = Vec::new();
    if set(patient, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS")
        .is_some_and(|value| value.eq_ignore_ascii_case("true"))
    {
        findings.push(Finding::problem(
            "shell",
            "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS makes every AWS_ENDPOINT_URL… count for nothing: calls go to AWS",
            "unset AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
        ));
    }
    let same = |found: &str| found.trim_end_matches('/') == url;
    let elsewhere = names.iter().filter_map(|name| {
        let found = set(patient, name).or_else(|| general.clone())?;
        (!same(&found)).then(|| format!("{name} leads to {}", without_password(&found)))
    });
    let elsewhere: Vec<_> = elsewhere.collect();
    let missing: Vec<_> =
        names.into_iter().filter(|name| general.is_none() && set(patient, name).is_none()).collect();
    if !elsewhere.is_empty() {
        findings.push(Finding::warning(
            "shell",
            format!("{}, not to {url}", elsewhere.join(", ")),
            export_line(url, region),
        ));
    } else if !missing.is_empty() {
        findings.push(Finding::warning(
            "shell",
            format!("{} not set: such calls go to AWS", missing.join(", ")),
            export_line(url, region),
        ));
    }
    if general.is_some() {
        findings.push(Finding::warning(
            "shell",
            "AWS_ENDPOINT_URL counts for every service, S3 and all others too",
            format!("unset AWS_ENDPOINT_URL; {}", export_line(url, region)),
        ));
    }
    findings
}

/// Which of the two counts differs between SDKs.
fn regions(patient: &Patient, url: &str) -> Option<Finding> {
    let region = patient.config.region_for_clients();
    let set: Vec<_> = ["AWS_REGION", "AWS_DEFAULT_REGION"]
        .into_iter()
        .filter_map(|name| Some((name, set(patient, name)?)))
        .collect();
    let says = if set.is_empty() {
        "no region is set, and without one nothing is signed".to_owned()
    } else {
        patient.config.sts_region.as_ref()?;
        let (name, other) = set.into_iter().find(|(_, set)| set != region)?;
        format!("{name} is {other}, and requests to STS must be signed for {region} here: they are refused")
    };
    Some(Finding::warning("shell", says, export_line(url, region)))
}

/// Whoever puts a password into a URL does not want it in a report.
fn without_password(url: &str) -> String {
    match url.split_once("://").and_then(|(scheme, rest)| Some((scheme, rest.rsplit_once('@')?.1))) {
        Some((scheme, rest)) => format!("{scheme}://{rest}"),
        None => url.to_owned(),
    }
}

fn keys(patient: &Patient) -> Vec<Finding> {
    let [id, secret, token] =
        ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"].map(|name| set(patient, name));
    let mut findings: Vec<_> = exchanged(id.as_deref(), secret.as_deref()).into_iter().collect();
    if !findings.is_empty() {
        return findings;
    }
    if id.is_some() != secret.is_some() {
        findings.push(Finding::problem(
            "shell",
            "one of AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY is set without the other",
            "unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN",
        ));
    }
    let temporary = id.as_ref().map(|id| id.starts_with("ASIA"));
    if temporary == Some(false) && token.is_some() {
        findings.push(Finding::problem(
            "shell",
            "AWS_SESSION_TOKEN is set beside a long-term access key: it is another one's, and every call is refused",
            "unset AWS_SESSION_TOKEN",
        ));
    }
    if temporary == Some(true) && token.is_none() {
        findings.push(Finding::problem(
            "shell",
            "AWS_ACCESS_KEY_ID is of a session, and its AWS_SESSION_TOKEN is not set",
            "unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY",
        ));
    }
    let profile =
        ["AWS_PROFILE", "AWS_DEFAULT_PROFILE"].into_iter().find(|name| set(patient, name).is_some());
    if let (Some(profile), Some(_)) = (profile, &id) {
        findings.push(Finding::warning(
            "shell",
            format!(
                "{profile} and AWS_ACCESS_KEY_ID are both set, and which one counts differs between SDKs"
            ),
            format!("unset {profile}"),
        ));
    }
    findings
}

/// A secret where the id should be, or the other way round. Neither is shown: whichever it is, it may be a secret.
fn exchanged(id: Option<&str>, secret: Option<&str>) -> Option<Finding> {
    let is_id = |text: &str| {
        (text.starts_with("AKIA") || text.starts_with("ASIA"))
            && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
    };
    let is_secret = |text: &str| text.len() == 40 && !is_id(text);
    let (secret_first, id_second) = (id.is_some_and(is_secret), secret.is_some_and(is_id));
    let says = match (secret_first, id_second) {
        (false, false) => return None,
        (true, true) => "the access key id is in AWS_SECRET_ACCESS_KEY, and the secret in AWS_ACCESS_KEY_ID",
        (true, false) => "AWS_ACCESS_KEY_ID holds a secret access key, by its length",
        (false, true) => "AWS_SECRET_ACCESS_KEY holds an access key id",
    };
    let paste = if secret_first && id_second {
        r#"export AWS_ACCESS_KEY_ID="$AWS_SECRET_ACCESS_KEY" AWS_SECRET_ACCESS_KEY="$AWS_ACCESS_KEY_ID""#
    } else {
        "unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN"
    };
    Some(Finding::problem("shell", says, paste))
}

fn others(patient: &Patient, url: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    if let Some(bundle) = set(patient, "AWS_CA_BUNDLE")
        && std::fs::File::open(&bundle).is_err()
    {
        let says = format!("AWS_CA_BUNDLE names `{bundle}`, which cannot be read");
        findings.push(Finding::problem("shell", says, "unset AWS_CA_BUNDLE"));
    }
    let scheme = url.split("://").next().unwrap_or_default();
    let host = url.split("://").nth(1).unwrap_or_default();
    let host = host.rsplit_once(':').map_or(host, |(host, _)| host);
    let proxy = [format!("{scheme}_proxy"), format!("{scheme}_proxy").to_uppercase()];
    let proxy = proxy.into_iter().find(|name| set(patient, name).is_some());
    let spared = ["no_proxy", "NO_PROXY"].iter().filter_map(|name| set(patient, name));
    let spared: Vec<String> = spared
        .flat_map(|list| list.split(',').map(|host| host.trim().to_owned()).collect::<Vec<_>>())
        .collect();
    let is_spared = spared.iter().any(|spared| {
        spared == "*" || host == spared || host.ends_with(&format!(".{}", spared.trim_start_matches('.')))
    });
    if let Some(proxy) = proxy.filter(|_| !is_spared) {
        findings.push(Finding::warning(
            "shell",
            format!("{proxy} sends calls to {host} through a proxy"),
            format!("export no_proxy={0} NO_PROXY={0}", shell_word(host)),
        ));
    }
    findings
}
