//! The algorithms that a signature can name.

/// How a request was signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// `AWS4-HMAC-SHA256`: Signature Version 4. The key is one region's.
    SigV4,
    /// `AWS4-ECDSA-P256-SHA256`: Signature Version 4A. The key is good everywhere; a set of regions is signed.
    SigV4A,
}

impl Algorithm {
    /// As requests, strings to sign and policies of Amazon S3 write it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SigV4 => "AWS4-HMAC-SHA256",
            Self::SigV4A => "AWS4-ECDSA-P256-SHA256",
        }
    }

    /// As CloudTrail calls it (Amazon S3 User Guide, "Amazon S3 CloudTrail events": `SignatureVersion`).
    #[must_use]
    pub fn version(self) -> &'static str {
        match self {
            Self::SigV4 => "SigV4",
            Self::SigV4A => "SigV4A",
        }
    }

    /// By its exact name.
    pub(crate) fn of(name: &str) -> Option<Self> {
        [Self::SigV4, Self::SigV4A].into_iter().find(|known| known.as_str() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_algorithm_has_the_names_that_aws_gives_it() {
        let names = [Algorithm::SigV4, Algorithm::SigV4A].map(|of| (of.as_str(), of.version()));
        assert_eq!(names, [("AWS4-HMAC-SHA256", "SigV4"), ("AWS4-ECDSA-P256-SHA256", "SigV4A")]);
        assert_eq!(Algorithm::of("AWS4-HMAC-SHA256"), Some(Algorithm::SigV4));
        assert_eq!(Algorithm::of("aws4-hmac-sha256"), None);
    }
}
