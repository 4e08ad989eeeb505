//! Names and paths of IAM entities.

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
