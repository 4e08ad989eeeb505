//! `daypass creds`: one document on standard output, for `credential_process` of the AWS SDKs (`docs/machines.md`).

use std::path::PathBuf;

use clap::Args;
use daypass_agent::creds::{ByWebIdentity, by_web_identity, of_machine};

use super::agent::failure;
use crate::failure::Failure;
use crate::outbound;
use crate::terminal::say;

#[derive(Debug, Args)]
pub(super) struct CredsArgs {
    /// The agent of this machine
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:1338", conflicts_with = "role_arn")]
    agent: String,
    /// ARN of the role, for a web identity token instead of this machine
    #[arg(long, value_name = "ARN", requires_all = ["web_identity_token_file", "server"])]
    role_arn: Option<String>,
    /// File with the web identity token; it is read at every call
    #[arg(long, value_name = "FILE", requires = "role_arn")]
    web_identity_token_file: Option<PathBuf>,
    /// The server's URL; https, or http on this machine
    #[arg(long, value_name = "URL", requires = "role_arn")]
    server: Option<String>,
    /// Name of the session
    #[arg(long, value_name = "NAME", default_value = "daypass-creds", requires = "role_arn")]
    role_session_name: String,
    /// For how many seconds [default: an hour]
    #[arg(long, value_name = "SECONDS", requires = "role_arn")]
    duration_seconds: Option<u32>,
    /// Certificates in PEM that vouch for the server [default: those of this machine]
    #[arg(long, value_name = "FILE", requires = "role_arn")]
    ca_bundle: Option<PathBuf>,
}

pub(super) async fn run(args: CredsArgs) -> Result<(), Failure> {
    let document = match (&args.role_arn, &args.web_identity_token_file, &args.server) {
        (Some(role_arn), Some(token_file), Some(server)) => {
            let asked = ByWebIdentity {
                server,
                roots: outbound::roots(args.ca_bundle.as_deref())?,
                role_arn,
                token_file,
                session_name: &args.role_session_name,
                seconds: args.duration_seconds,
            };
            by_web_identity(&asked).await.map_err(failure)?
        }
        _ => of_machine(&args.agent).await.map_err(failure)?,
    };
    say(&format!("{document}\n"));
    Ok(())
}
