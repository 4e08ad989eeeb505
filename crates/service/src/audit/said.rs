//! What a record tells of tokens and assertions: which it was, and what AWS's records repeat of it.

use data_encoding::BASE64URL_NOPAD;
use daypass_authn::x509::{Certificate, Field};
use daypass_directory::{TokenNames, Vouched};
use daypass_model::cut;
use serde_json::Value;

use crate::request::NAME_MAX;

/// Which provider vouched, and by which of its tokens.
pub(super) fn vouched_by(vouched: &Vouched) -> Value {
    let TokenNames { id, key_id, issued_at } = &vouched.token;
    let cut = |text: &str| Value::from(cut(text, NAME_MAX));
    let by = vouched.by_certificate.as_ref();
    let names = [
        ("identityProvider", Some(Value::from(by.map_or(vouched.provider.as_str(), |by| &by.anchor)))),
        ("kid", key_id.as_deref().map(cut)),
        ("jti", id.as_deref().map(cut)),
        ("iat", issued_at.map(Value::from)),
    ];
    let of_token = names.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    let of_certificate = by.map(|by| names_of_certificate(&by.certificate)).into_iter().flatten();
    of_token.chain(of_certificate.map(|(name, value)| (name.to_owned(), value.into()))).collect()
}

/// Which certificate it is, where its path was followed: before that, these are anybody's words.
pub(crate) fn names_of_certificate(certificate: &Certificate) -> [(&'static str, String); 2] {
    let cut = |text: String| cut(&text, NAME_MAX).to_owned();
    let subject = cut(certificate.shown(Field::Subject));
    [("x509Subject", subject), ("serialNumber", cut(certificate.serial_decimal()))]
}

/// `kid` and `jti` of a token in compact form (RFC 7515, section 7.1).
pub(super) fn names_of_token(token: &str) -> impl Iterator<Item = (String, Value)> + use<> {
    let part = |part: &str| serde_json::from_slice(&BASE64URL_NOPAD.decode(part.as_bytes()).ok()?).ok();
    let parts: Vec<Value> = token.split('.').take(2).filter_map(part).collect();
    let named = |(part, name): (Value, &str)| Some((name.to_owned(), part.get(name)?.clone()));
    parts.into_iter().zip(["kid", "jti"]).filter_map(named)
}

/// What an assertion says in place of parameters, under CloudTrail's names ("Logging IAM and AWS STS API calls with AWS
/// CloudTrail" in the IAM User Guide).
pub(super) fn said_by_assertion(vouched: &Vouched) -> serde_json::Map<String, Value> {
    let mut said = serde_json::Map::new();
    let Some(assertion) = vouched.assertion() else { return said };
    said.insert("sAMLAssertionID".into(), cut(&assertion.id, NAME_MAX).into());
    said.insert("roleSessionName".into(), assertion.session_name.as_str().into());
    if !vouched.tags.is_empty() {
        let tags = vouched.tags.iter().map(|tag| (tag.key.clone(), tag.value.clone().into()));
        said.insert("principalTags".into(), Value::Object(tags.collect()));
    }
    if !vouched.transitive_tag_keys.is_empty() {
        said.insert("transitiveTagKeys".into(), vouched.transitive_tag_keys.clone().into());
    }
    if let Some(source_identity) = &vouched.source_identity {
        said.insert("sourceIdentity".into(), source_identity.as_str().into());
    }
    said
}
