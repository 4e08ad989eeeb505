//! The region that requests to STS must be signed for, and what clients are told of it.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use super::Config;

/// A slip would be a region that nobody signs for.
pub(super) fn parse_region(text: &str) -> Result<String, String> {
    let is_region = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if text.is_empty() || !text.bytes().all(is_region) {
        return Err("give a region, such as eu-central-1".to_owned());
    }
    Ok(text.to_owned())
}

pub(super) fn region<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    parse_region(&String::deserialize(deserializer)?).map(Some).map_err(D::Error::custom)
}

impl Config {
    /// The region that clients sign for.
    pub(crate) fn region_for_clients(&self) -> &str {
        daypass_service::region_for_clients(self.sts_region.as_deref(), self.public_authority.as_ref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::ServeArgs;

    #[test]
    fn clients_sign_for_the_region_that_sts_has() {
        let region = |sts: Option<&str>, url: &str| {
            let args = ServeArgs {
                sts_region: sts.map(str::to_owned),
                public_url: Some(url.to_owned()),
                ..ServeArgs::default()
            };
            Config::load(args).unwrap().region_for_clients().to_owned()
        };
        assert_eq!(region(None, "https://sts.test"), "us-east-1");
        assert_eq!(region(Some("eu-west-1"), "https://sts.test"), "eu-west-1");
        assert_eq!(region(Some("eu-west-1"), "https://sts.amazonaws.com"), "us-east-1");
    }
}
