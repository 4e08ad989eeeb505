//! Values that must not be seen.

use std::fmt;

use subtle::ConstantTimeEq;
use zeroize::Zeroize;

/// Bytes that print as a placeholder, are compared in constant time, are cleared on drop and are
/// read only through [`Secret::expose`].
#[derive(Clone)]
pub struct Secret(Vec<u8>);

impl Secret {
    /// Take ownership of secret bytes.
    #[must_use]
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self(bytes.into())
    }

    /// The bytes. Every call of this is a place to review.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// The bytes as text, for secret access keys and tokens, which are ASCII; empty when they are not UTF-8.
    #[must_use]
    pub fn expose_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for Secret {}

impl Drop for Secret {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<secret>")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_never_prints_its_bytes() {
        let secret = Secret::new("wJalrXUtnFEMI");
        assert_eq!(format!("{secret:?}"), "<secret>");
        assert_eq!(secret, Secret::new("wJalrXUtnFEMI"));
        assert_ne!(secret, Secret::new("wJalrXUtnFEMJ"));
        assert_eq!(secret.expose_str(), "wJalrXUtnFEMI");
    }
}
