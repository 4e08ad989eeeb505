//! A root key in the form of an AWS credentials file: writing it, and reading it again.

use std::path::Path;

use daypass_model::{AccessKeyId, Secret};

use super::private_file::write_secret;
use crate::failure::Failure;

const PROFILE: &str = "[default]";
const ID: &str = "aws_access_key_id = ";
const SECRET: &str = "aws_secret_access_key = ";

/// A new file with this key.
///
/// # Errors
/// As [`write_secret`].
pub(crate) fn write_credentials(path: &Path, id: &AccessKeyId, secret: &Secret) -> Result<(), Failure> {
    let text = Secret::new(format!("{PROFILE}\n{ID}{id}\n{SECRET}{}\n", secret.expose_str()));
    write_secret(path, text.expose())
}

/// The id of the first key in a file.
pub(crate) fn key_in(text: &str) -> Option<AccessKeyId> {
    text.lines().find_map(|line| line.strip_prefix(ID))?.parse().ok()
}

/// Whether a file holds the one key that was written into it, and nothing else.
pub(crate) fn is_as_written(text: &str, key: &AccessKeyId) -> bool {
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    matches!(lines.as_slice(), [PROFILE, id, secret]
        if id.strip_prefix(ID) == Some(key.as_str()) && secret.starts_with(SECRET))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scratch::Scratch;

    #[test]
    fn a_file_that_somebody_else_wrote_to_is_told_apart() {
        let key: AccessKeyId = "AKIAQNZGKIQY56JQ7WML".parse().unwrap();
        let scratch = Scratch::new("credentials");
        let path = scratch.join("root-credentials");
        write_credentials(&path, &key, &Secret::new("s")).unwrap();
        let written = std::fs::read_to_string(path).unwrap();
        assert_eq!(
            written,
            "[default]\naws_access_key_id = AKIAQNZGKIQY56JQ7WML\naws_secret_access_key = s\n"
        );
        assert_eq!(key_in(&written), Some(key.clone()));
        assert!(is_as_written(&written, &key));
        let more = format!("{written}[admin]\naws_access_key_id = AKIASP2TPHJSQH3FJRUX\n");
        let other = written.replace("QNZGKIQY56JQ7WML", "SP2TPHJSQH3FJRUX");
        for text in [&more, &other, &format!("{written}region = us-east-1\n"), &String::new()] {
            assert!(!is_as_written(text, &key), "{text}");
        }
    }
}
