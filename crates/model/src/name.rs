//! Names and paths of IAM entities.

use crate::is_reserved;

/// The path of roles, and of policies for them, that belong to AWS's services.
const SERVICE_ROLE_PATH: &str = "/aws-service-role/";

/// The form under which a name is unique: IAM ignores case in the names of users, groups, roles,
/// policies and instance profiles, and names are ASCII (IAM User Guide, "IAM names").
#[must_use]
pub fn fold_name(name: &str) -> String {
    name.to_ascii_lowercase()
}

/// Whether a role is a service-linked one, or a policy one for such roles.
#[must_use]
pub fn is_service_linked(path: &str) -> bool {
    path.starts_with(SERVICE_ROLE_PATH)
}

/// Whether only AWS's services put roles under this path and change them there.
#[must_use]
pub fn is_reserved_path(path: &str) -> bool {
    is_service_linked(path) || path.starts_with("/aws-reserved/")
}

/// Whether an identity provider may name a session so: `[a-zA-Z_0-9+=,.@-]{2,64}` (IAM User Guide, "Configure SAML assertions
/// for the authentication response").
#[must_use]
pub fn is_session_name(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_+=,.@-".contains(&byte);
    (2..=64).contains(&text.len()) && text.bytes().all(allowed)
}

/// Whether an identity provider may say that this is behind a session: what may name one, and is not AWS's own to give. (A
/// caller's own `SourceIdentity` may be longer since 2026.)
#[must_use]
pub fn is_source_identity(text: &str) -> bool {
    is_session_name(text) && !is_reserved(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_sessions_and_source_identities_are_alike_but_for_those_of_aws() {
        let longest = "a".repeat(64);
        for good in ["ab", "_+=,.@-", "alice@example.com", longest.as_str()] {
            assert!(is_session_name(good) && is_source_identity(good), "{good}");
        }
        let too_long = "a".repeat(65);
        for bad in ["", "a", "a b", "a/b", "a:b", "älice", " ab", "ab\n", "aws:ab", too_long.as_str()] {
            assert!(!is_session_name(bad) && !is_source_identity(bad), "{bad}");
        }
    }
}
