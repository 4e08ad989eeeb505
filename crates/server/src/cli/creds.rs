//! `daypass creds`: one document on standard output, for `credential_process` of the AWS SDKs (`docs/machines.md`).

use std::path::PathBuf;

use clap::Args;
use daypass_agent::creds::{ByCertificate, ByWebIdentity, by_certificate, by_web_identity, of_machine};
use daypass_model::{Clock as _, SystemClock};
use serde_json::Value;

use super::agent::failure;
use crate::failure::Failure;
use crate::outbound;
use crate::terminal::say;

#[derive(Debug, Args)]
pub(super) struct CredsArgs {
    /// The agent of this machine
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:1338", conflicts_with = "role_arn")]
    agent: String,
    /// ARN of the role, for a web identity token or a certificate instead of this machine
    #[arg(long, value_name = "ARN", requires_all = ["server", "proof"])]
    role_arn: Option<String>,
    /// File with the web identity token; it is read at every call
    #[arg(long, value_name = "FILE", requires = "role_arn", group = "proof")]
    web_identity_token_file: Option<PathBuf>,
    #[command(flatten)]
    certificate: CertificateArgs,
    /// The server's URL; https, or http on this machine
    #[arg(long, value_name = "URL", requires = "role_arn")]
    server: Option<String>,
    /// Name of the session [default of web identities: daypass-creds; of certificates: their serial number]
    #[arg(long, value_name = "NAME", alias = "session-name", requires = "role_arn")]
    role_session_name: Option<String>,
    /// For how many seconds [default: an hour, or as the profile says]
    #[arg(long, value_name = "SECONDS", alias = "session-duration", requires = "role_arn")]
    duration_seconds: Option<u32>,
    /// Certificates in PEM that vouch for the server [default: those of this machine]
    #[arg(long, value_name = "FILE", requires = "role_arn")]
    ca_bundle: Option<PathBuf>,
}

/// IAM Roles Anywhere, by the names of AWS's signing helper.
#[derive(Debug, Args)]
struct CertificateArgs {
    /// PEM of a certificate of the trust anchor's; those behind it are between it and the trust anchor
    #[arg(
        long,
        value_name = "FILE",
        group = "proof",
        requires_all = ["role_arn", "private_key", "trust_anchor_arn", "profile_arn"]
    )]
    certificate: Option<PathBuf>,
    /// PEM of its private key, which only this user may read
    #[arg(long, value_name = "FILE", requires = "certificate")]
    private_key: Option<PathBuf>,
    /// PEM of more certificates between it and the trust anchor
    #[arg(long, value_name = "FILE", requires = "certificate")]
    intermediates: Option<PathBuf>,
    /// ARN of the trust anchor
    #[arg(long, value_name = "ARN", requires = "certificate")]
    trust_anchor_arn: Option<String>,
    /// ARN of the profile
    #[arg(long, value_name = "ARN", requires = "certificate")]
    profile_arn: Option<String>,
}

pub(super) async fn run(args: CredsArgs) -> Result<(), Failure> {
    let document = match (&args.role_arn, &args.server) {
        (Some(role_arn), Some(server)) => of_role(&args, role_arn, server).await?,
        _ => of_machine(&args.agent).await.map_err(failure)?,
    };
    say(&format!("{document}\n"));
    Ok(())
}

async fn of_role(args: &CredsArgs, role_arn: &str, server: &str) -> Result<Value, Failure> {
    let roots = outbound::roots(args.ca_bundle.as_deref())?;
    let of = &args.certificate;
    match (&args.web_identity_token_file, &of.certificate, &of.private_key) {
        (Some(token_file), ..) => {
            let asked = ByWebIdentity {
                server,
                roots,
                role_arn,
                token_file,
                session_name: args.role_session_name.as_deref().unwrap_or("daypass-creds"),
                seconds: args.duration_seconds,
            };
            by_web_identity(&asked).await.map_err(failure)
        }
        (None, Some(certificate), Some(private_key)) => {
            let asked = ByCertificate {
                server,
                roots,
                certificate,
                private_key,
                intermediates: of.intermediates.as_deref(),
                trust_anchor_arn: of.trust_anchor_arn.as_deref().unwrap_or_default(),
                profile_arn: of.profile_arn.as_deref().unwrap_or_default(),
                role_arn,
                session_name: args.role_session_name.as_deref(),
                seconds: args.duration_seconds,
            };
            by_certificate(&asked, SystemClock.now()).await.map_err(failure)
        }
        _ => Err(Failure::new("--role-arn needs --web-identity-token-file or --certificate".to_owned())),
    }
}
