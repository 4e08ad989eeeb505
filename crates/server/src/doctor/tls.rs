//! The certificate that is served, and the URL that clients use.

use std::sync::Arc;

use daypass_authn::sigv4::{Credentials, HttpRequest, SignatureForm, sign};
use daypass_model::{Authority, Secret};
use rustls::client::verify_server_name;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, RootCertStore};
use x509_cert::Certificate;
use x509_cert::der::Decode;

use super::probe::{Answer, Trust, ask};
use super::{Finding, Patient};
use crate::banner::shell_word;
use crate::tls::{ENDS_SOON, Pair};

const DAY: i64 = 24 * 60 * 60;
const RENEW: &str = "renew it with its issuer and put the new pair there, it is taken within two seconds";
/// The bundle of Debian and its kin; those of others.
const BUNDLES: [&str; 3] =
    ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"];

/// Certificate and key: a pair, now, for the name that clients use.
pub(super) fn files(patient: &Patient) -> Vec<Finding> {
    let Some(files) = &patient.config.tls else { return Vec::new() };
    let [cert, key] = [&files.cert, &files.key].map(|path| shell_word(&path.to_string_lossy()));
    let look = format!("openssl x509 -in {cert} -noout -subject -issuer -dates -ext subjectAltName");
    let pair = match Pair::read(files) {
        Ok(pair) => pair,
        Err(failure) => {
            // Of a pair the same digest twice, and of a file that is none the reason.
            let compare = format!(
                "openssl x509 -in {cert} -noout -pubkey | sha256sum; openssl pkey -in {key} -pubout | sha256sum"
            );
            return vec![Finding::problem("tls", failure.to_string(), compare)];
        }
    };
    if patient.now < pair.not_before {
        let says = format!("the certificate counts from {} on only, or the clock is wrong", pair.not_before);
        return vec![Finding::problem("tls", says, format!("date -u; {look}"))];
    }
    if patient.now > pair.not_after {
        let says = format!("the certificate ended at {}: {RENEW}", pair.not_after);
        return vec![Finding::problem("tls", says, look)];
    }
    if let Some(public) = &patient.config.public_authority
        && !pair.is_for(public)
    {
        let says = format!("the certificate is not for {}, which --public-url names", public.host());
        return vec![Finding::problem("tls", says, look)];
    }
    let left = pair.not_after.as_second() - patient.now.as_second();
    if left < ENDS_SOON {
        let says = format!("the certificate ends in {} days, at {}: {RENEW}", left / DAY, pair.not_after);
        return vec![Finding::warning("tls", says, look)];
    }
    vec![Finding::ok("tls", format!("key and certificate are a pair, until {}", pair.not_after))]
}

impl Pair {
    /// Whether its certificate names this host.
    fn is_for(&self, public: &Authority) -> bool {
        let name = ServerName::try_from(public.host().trim_matches(['[', ']']).to_owned());
        let own = self.chain().first().map(ParsedCertificate::try_from);
        matches!((name, own), (Ok(name), Some(Ok(own))) if verify_server_name(&own, &name).is_ok())
    }

    /// Whether its certificate is alone, and another one issued it.
    fn is_without_issuer(&self) -> bool {
        let [own] = self.chain() else { return false };
        let own = Certificate::from_der(own);
        own.is_ok_and(|own| own.tbs_certificate().issuer() != own.tbs_certificate().subject())
    }
}

/// Whether clients reach this daypass by the URL that they sign for, and the proxy on the way keeps their `Host`.
pub(super) fn public_url(patient: &Patient) -> Vec<Finding> {
    let Some(public) = &patient.config.public_authority else { return Vec::new() };
    let scheme = if public.is_https() { "https" } else { "http" };
    let url = format!("{scheme}://{public}");
    let health = format!("curl -sv {}", shell_word(&format!("{url}/healthz")));
    let mut findings = Vec::new();
    let mut trust = roots(patient);
    let host = format!("host: {public}\r\n");
    let answer = match ask(public, "/healthz", &host, &trust) {
        // What verifies nothing tells whether there is anything else.
        Err(error) if public.is_https() && untrusted(&error).is_some() => {
            findings.extend(untrusted(&error).map(|why| not_trusted(patient, public, &url, why)));
            trust = Trust::Anybody;
            ask(public, "/healthz", &host, &trust)
        }
        answer => answer,
    };
    match answer {
        Ok(answer) if answer.body.starts_with("daypass ") => {
            findings.push(Finding::ok("public", format!("{} answers at {url}", answer.body.trim())));
            findings.push(host_is_kept(patient, public, &url, &trust));
        }
        Ok(answer) => {
            let says = format!("what answers at {url} with {} is no daypass", answer.status());
            findings.push(Finding::problem("public", says, health));
        }
        Err(error) => findings.push(Finding::problem("public", format!("{url}: {error}"), health)),
    }
    findings
}

fn untrusted(error: &std::io::Error) -> Option<&CertificateError> {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        Some(rustls::Error::InvalidCertificate(why)) => Some(why),
        _ => None,
    }
}

/// Only of an issuer that nobody knows does it help to name one.
fn not_trusted(patient: &Patient, public: &Authority, url: &str, why: &CertificateError) -> Finding {
    let host = public.host();
    let look = format!(
        "openssl s_client -connect {} -servername {} </dev/null 2>/dev/null | openssl x509 -noout -subject -issuer -dates -ext subjectAltName",
        shell_word(&format!("{host}:{}", public.port())),
        shell_word(host)
    );
    let (says, paste) = match why {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => (
            format!("the certificate of {url} has ended, or this clock is ahead: renew it where TLS ends"),
            look,
        ),
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => (
            format!("the certificate of {url} does not count yet, or this clock is behind"),
            format!("date -u; {look}"),
        ),
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            (format!("the certificate of {url} is not for {host}"), look)
        }
        why => {
            let says = format!(
                "clients of this machine do not trust the certificate of {url}: {}",
                rustls::Error::from(why.clone())
            );
            let name_ca = "export AWS_CA_BUNDLE=/path/to/your-ca.pem".to_owned();
            match alone(patient) {
                Some((says_alone, mend)) => {
                    // Where an authority is named already, naming one is no help.
                    let paste = if named_bundle(patient).is_some() { mend } else { name_ca };
                    (format!("{says}; {says_alone}"), paste)
                }
                None => (says, name_ca),
            }
        }
    };
    Finding::problem("public", says, paste)
}

/// What may be wrong where another's signature is on the one certificate that is served, and the line that mends it.
fn alone(patient: &Patient) -> Option<(String, String)> {
    let files = patient.config.tls.as_ref()?;
    if !Pair::read(files).ok()?.is_without_issuer() {
        return None;
    }
    let says = format!(
        "it is alone in `{}`, and the chain may lack its intermediate: put the issuer's certificate behind it in --tls-cert",
        files.cert.display()
    );
    let cert = shell_word(&files.cert.to_string_lossy());
    Some((says, format!("{{ echo; cat CERTIFICATE_OF_THE_ISSUER; }} >> {cert}")))
}

/// A request signed with the key of AWS's documentation: a server that is asked for another host says so before it
/// looks at the key (and refuses it otherwise).
fn host_is_kept(patient: &Patient, public: &Authority, url: &str, trust: &Trust) -> Finding {
    let nginx = "proxy_set_header Host $http_host;   # nginx; Apache: ProxyPreserveHost On";
    let answer = probe(patient, public).and_then(|(path, fields)| ask(public, &path, &fields, trust).ok());
    match answer.as_ref().map(|answer| (answer.status(), answer)) {
        Some((403, Answer { body, .. })) if body.contains("signed for another host") => Finding::problem(
            "public",
            format!("a proxy between {url} and the server replaces the Host header: every signature fails"),
            nginx,
        ),
        Some((403, Answer { body, .. })) if body.contains("InvalidClientTokenId") => {
            Finding::ok("public", "the Host header comes through as clients sign it")
        }
        _ => Finding::warning(
            "public",
            format!(
                "{url} does not answer a signed request as daypass does: is anything in front of it that changes headers or paths?"
            ),
            format!("aws sts get-caller-identity --endpoint-url {} --debug", shell_word(url)),
        ),
    }
}

fn probe(patient: &Patient, public: &Authority) -> Option<(String, String)> {
    let mut request = HttpRequest::new("GET", "/", Vec::new()).with_header("host", public.to_string());
    request.query = "Action=GetCallerIdentity&Version=2011-06-15".to_owned();
    let nobodys = Secret::new("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY");
    let credentials = Credentials {
        access_key_id: "AKIAIOSFODNN7EXAMPLE",
        secret_access_key: &nobodys,
        session_token: None,
    };
    let region = patient.config.region_for_clients();
    sign(&mut request, &credentials, region, "sts", SignatureForm::Header, patient.now).ok()?;
    let field = |(name, value): &(String, Vec<u8>)| format!("{name}: {}\r\n", String::from_utf8_lossy(value));
    Some((format!("/?{}", request.query), request.headers.iter().map(field).collect()))
}

/// Whom clients of this shell trust: `AWS_CA_BUNDLE` as the SDKs do, or the system's authorities.
fn roots(patient: &Patient) -> Trust {
    let named = named_bundle(patient);
    let paths: Vec<String> = named.map_or_else(|| BUNDLES.map(str::to_owned).into(), |path| vec![path]);
    let mut roots = RootCertStore::empty();
    if let Some(bundle) = paths.iter().find_map(|path| std::fs::read(path).ok()) {
        roots.add_parsable_certificates(CertificateDer::pem_slice_iter(&bundle).filter_map(Result::ok));
    }
    Trust::Roots(Arc::new(roots))
}

fn named_bundle(patient: &Patient) -> Option<String> {
    ["AWS_CA_BUNDLE", "SSL_CERT_FILE"].iter().find_map(|name| (patient.variable)(name))
}
