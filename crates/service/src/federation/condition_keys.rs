//! What trust policies may ask of a token.
//!
//! Source: IAM User Guide, "Available keys for AWS web identity federation" and "Available keys for AWS STS".

use daypass_authn::oidc::{Claims, VerifiedToken};
use daypass_directory::Value;
use daypass_policy::claims_of_issuer;
use serde_json::{Map, Value as Claim};

/// A claim that is a condition key, and no value: were it passed over, whoever denies by it would let its holder in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("The claim `{0}` of the ID Token has a form that no condition can compare")]
pub(super) struct NoValue(String);

/// Every key of a token for the call that presents it, under the provider's URL without its scheme: what every issuer has, what
/// this one has on AWS, and what is `set` for it, claims by their names or, within others, by dotted paths.
///
/// # Errors
/// [`NoValue`].
pub(super) fn of_call(
    provider: &str,
    set: &[String],
    token: &VerifiedToken,
) -> Result<Vec<(String, Value)>, NoValue> {
    let claims = token.claims();
    let mut keys = of_every_issuer(provider, token);
    keys.push((format!("{provider}:oaud"), one_or_many(&claims.audiences)));
    let of_vendor = claims_of_issuer(provider).map(|name| (name, find(claims, name)));
    let of_settings = set.iter().map(|path| (path.as_str(), at(claims.all(), path)));
    for (name, claim) in of_vendor.chain(of_settings) {
        let no_value = || NoValue(name.to_owned());
        if let Some(claim) = claim.map_err(|Elsewhere| no_value())? {
            keys.push((format!("{provider}:{name}"), value_of(claim).ok_or_else(no_value)?));
        }
    }
    Ok(keys)
}

/// Whether a claim of this name is a condition key of a provider whatever is set for it. Keys ignore case.
pub(crate) fn is_known_claim(provider: &str, claim: &str) -> bool {
    let of_every_issuer = ["aud", "oaud", "sub", "amr"].into_iter();
    of_every_issuer.chain(claims_of_issuer(provider)).any(|known| known.eq_ignore_ascii_case(claim))
}

/// On the way to a claim there is something that is no object: what is meant may stand in it.
#[derive(Debug, PartialEq, Eq)]
struct Elsewhere;

/// The claim at a dotted path; null is none. Names of claims have dots of their own, so the longest name that is there comes
/// first. Each object is gone over once at the most, however many dots a path has.
fn at<'c>(claims: &'c Map<String, Claim>, path: &str) -> Result<Option<&'c Claim>, Elsewhere> {
    if let Some(claim) = claims.get(path).filter(|claim| !claim.is_null()) {
        return Ok(Some(claim));
    }
    let within = |(name, claim): (&'c String, &'c Claim)| {
        let rest = path.strip_prefix(name.as_str())?.strip_prefix('.')?;
        (!is_nothing(claim)).then_some((rest, claim))
    };
    let mut around: Vec<_> = claims.iter().filter_map(within).collect();
    around.sort_unstable_by_key(|(rest, _)| rest.len());
    for (rest, claim) in around {
        if let Some(found) = at(claim.as_object().ok_or(Elsewhere)?, rest)? {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// Whether there is nothing in it that a path could lead to: `[]` is how some languages write an object without members.
fn is_nothing(claim: &Claim) -> bool {
    match claim {
        Claim::Null => true,
        Claim::Array(items) => items.is_empty(),
        Claim::String(text) => text.is_empty(),
        _ => false,
    }
}

/// What of them stays with the session, as the session keeps it.
pub(super) fn of_session(
    provider: &str,
    provider_arn: &str,
    token: &VerifiedToken,
) -> Vec<(String, Vec<String>)> {
    let texts = |value| match value {
        Value::One(text) => vec![text],
        Value::Many(texts) => texts,
    };
    let kept = of_every_issuer(provider, token).into_iter().map(|(key, value)| (key, texts(value)));
    kept.chain([("aws:FederatedProvider".to_owned(), vec![provider_arn.to_owned()])]).collect()
}

fn of_every_issuer(provider: &str, token: &VerifiedToken) -> Vec<(String, Value)> {
    let Claims { subject, methods, .. } = token.claims();
    let key = |name: &str| format!("{provider}:{name}");
    let mut keys = vec![(key("aud"), token.audience().into()), (key("sub"), subject.as_str().into())];
    if !methods.is_empty() {
        keys.push((key("amr"), methods.clone().into()));
    }
    keys
}

/// A claim by the name of its key: Google's stands within another claim (Google Cloud documentation, "Verify the
/// token").
fn find<'c>(claims: &'c Claims, name: &str) -> Result<Option<&'c Claim>, Elsewhere> {
    let there = |claim: &&Claim| !claim.is_null();
    if let Some(claim) = claims.get(name).filter(there) {
        return Ok(Some(claim));
    }
    let around = name.split_once('/').and_then(|(around, within)| Some((claims.get(around)?, within)));
    match around.filter(|(claim, _)| there(claim)) {
        None => Ok(None),
        Some((claim, within)) => Ok(claim.as_object().ok_or(Elsewhere)?.get(within).filter(there)),
    }
}

/// A claim as conditions compare it. Objects, fractions and null are no values.
fn value_of(claim: &Claim) -> Option<Value> {
    let scalar = |claim: &Claim| match claim {
        Claim::String(text) => Some(text.clone()),
        // Beyond 64 bits several numbers read alike.
        Claim::Number(number) if number.is_i64() || number.is_u64() => Some(number.to_string()),
        Claim::Bool(flag) => Some(flag.to_string()),
        _ => None,
    };
    match claim {
        Claim::Array(items) => items.iter().map(scalar).collect::<Option<Vec<_>>>().map(Value::Many),
        _ => scalar(claim).map(Value::One),
    }
}

fn one_or_many(texts: &[String]) -> Value {
    match texts {
        [one] => Value::One(one.clone()),
        _ => Value::Many(texts.to_vec()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dotted_path_is_the_longest_names_that_are_there() {
        let claims = serde_json::json!({
            "a.b": {"c": 1},
            "a": {"b": {"c": 2, "d": 3}, "b.c": 4, "x": 5},
            "a.b.e": 6,
            "flat": 7,
            "list": [{"x": 8}],
            "void": [], "blank": "",
            "n": null, "n.x": null, "n.x.y": {"z": 9},
            "o.p": null, "o": {"p": 10},
        });
        let found = |path: &str| at(claims.as_object().unwrap(), path).unwrap().and_then(Claim::as_i64);
        for (path, value) in [
            ("a.b.c", Some(1)),
            ("a.b.d", Some(3)),
            ("a.b.e", Some(6)),
            ("a.x", Some(5)),
            ("flat", Some(7)),
            ("n", None),
            ("void.x", None),
            ("blank.x", None),
            ("n.x", None),
            ("n.x.y.z", Some(9)),
            ("o.p", Some(10)),
            ("a.y", None),
            ("ab", None),
            ("a", None),
        ] {
            assert_eq!(found(path), value, "{path}");
        }
        for hidden in ["flat.x", "list.x", "list.0.x", "a.b.e.f"] {
            assert_eq!(at(claims.as_object().unwrap(), hidden), Err(Elsewhere), "{hidden}");
        }
    }
}
