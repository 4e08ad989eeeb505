//! How SAML assertions are taken, as the operator gives it.

use clap::ValueEnum;
use daypass_service::federation::Replay;
use serde::Deserialize;

/// How often one assertion counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SamlReplay {
    /// Once for each role that it lists
    #[default]
    PerRole,
    /// Once in each account
    Once,
    /// As often as it is brought within its five minutes, as on AWS
    Off,
}

impl From<SamlReplay> for Replay {
    fn from(setting: SamlReplay) -> Self {
        match setting {
            SamlReplay::PerRole => Self::PerRole,
            SamlReplay::Once => Self::Once,
            SamlReplay::Off => Self::Off,
        }
    }
}
