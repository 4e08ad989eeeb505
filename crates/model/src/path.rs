//! Names of IAM entities.

/// The form under which a name is unique: IAM ignores case in the names of users, groups, roles,
/// policies and instance profiles, and names are ASCII (IAM User Guide, "IAM names").
#[must_use]
pub fn fold_name(name: &str) -> String {
    name.to_ascii_lowercase()
}
