//! `daypass agent`: credentials for the programs of this machine (`docs/machines.md`).

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Args, ValueEnum};
use daypass_agent::{Agent, Settings, Trouble, World, creds};
use daypass_authn::SystemRandom;
use daypass_model::SystemClock;

use crate::config::{LogFormat, check_agent_variables};
use crate::failure::Failure;
use crate::signals::{heard, told_to_stop};
use crate::terminal::say;
use crate::{outbound, telemetry};

/// The address that the agent listens at, unless others are named.
const LISTEN_DEFAULT: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 1338);

/// Every flag but `--check` has a variable, named after it as those of the server are.
#[derive(Debug, Args)]
pub(super) struct AgentArgs {
    /// The server's URL; https, or http on this machine
    #[arg(long, env = "DAYPASS_AGENT_SERVER", value_name = "URL", required_unless_present = "check")]
    server: Option<String>,
    /// Directory for the machine's key, which only this user may read
    #[arg(long, env = "DAYPASS_AGENT_STATE", value_name = "DIR", default_value = "daypass-agent")]
    state: PathBuf,
    /// ARN of the instance that this machine is to be, as daypass:RegisterInstance answered it
    #[arg(long, env = "DAYPASS_AGENT_INSTANCE", value_name = "ARN")]
    instance: Option<String>,
    /// File with the join secret, which only this user may read
    #[arg(long, env = "DAYPASS_AGENT_JOIN_SECRET_FILE", value_name = "FILE")]
    join_secret_file: Option<PathBuf>,
    /// Address to listen at; may be repeated, the variable has commas [default: 127.0.0.1:1338]
    #[arg(long, env = "DAYPASS_AGENT_LISTEN", value_delimiter = ',', value_name = "ADDRESS")]
    listen: Vec<SocketAddr>,
    /// Whether instance metadata is told with a session token only (version 2), or without one, too
    #[arg(long, env = "DAYPASS_AGENT_HTTP_TOKENS", value_name = "MODE", default_value = "required")]
    http_tokens: HttpTokens,
    /// Hops that an answer with a session token may go: 1 for this machine's own addresses alone; containers with a network of
    /// their own need 2
    #[arg(long, env = "DAYPASS_AGENT_HOP_LIMIT", value_name = "COUNT", default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=64))]
    hop_limit: u8,
    /// Cluster whose node this machine is: its pods get credentials at /v1/credentials by their service account tokens
    #[arg(long, env = "DAYPASS_AGENT_CLUSTER", value_name = "NAME", value_parser = cluster_name)]
    cluster: Option<String>,
    /// Certificates in PEM that vouch for the server [default: those of this machine]
    #[arg(long, env = "DAYPASS_AGENT_CA_BUNDLE", value_name = "FILE")]
    ca_bundle: Option<PathBuf>,
    /// What is logged: levels, and targets with levels
    #[arg(long, env = "DAYPASS_AGENT_LOG", value_name = "LEVELS", default_value = "info")]
    log: String,
    /// As what the log is written
    #[arg(long, env = "DAYPASS_AGENT_LOG_FORMAT", value_name = "FORMAT", default_value = "text")]
    log_format: LogFormat,
    /// Ask the agent that runs here how it is, instead; exit 1 if programs get nothing
    #[arg(long)]
    check: bool,
}

/// `HttpTokens` of EC2's metadata options.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum HttpTokens {
    Optional,
    Required,
}

pub(super) async fn run(args: AgentArgs) -> Result<ExitCode, Failure> {
    let listen = if args.listen.is_empty() { vec![LISTEN_DEFAULT] } else { args.listen };
    if args.check {
        return check(&listen).await;
    }
    check_agent_variables::<AgentArgs>(std::env::vars_os().map(|(name, _)| name))?;
    telemetry::start(&args.log, args.log_format)?;
    let settings = Settings {
        listen,
        allow_version_1: args.http_tokens == HttpTokens::Optional,
        hop_limit: args.hop_limit,
        server: args.server.unwrap_or_default(),
        roots: outbound::roots(args.ca_bundle.as_deref())?,
        state: args.state,
        instance: args.instance,
        join_secret: args.join_secret_file,
        cluster: args.cluster,
    };
    let world = World { clock: Arc::new(SystemClock), random: Arc::new(SystemRandom) };
    let heard = heard()?;
    let agent = Agent::listen(settings, world).await.map_err(failure)?;
    for address in agent.addresses() {
        say(&format!("listening http://{address}\n"));
    }
    let stop = told_to_stop(heard.to_stop, 1);
    agent.run(stop, || say("ready\n")).await.map_err(failure)?;
    Ok(ExitCode::SUCCESS)
}

/// As EKS names clusters (Amazon EKS API Reference, CreateCluster).
fn cluster_name(text: &str) -> Result<String, String> {
    let of_a_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let begins = text.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric());
    if begins && text.len() <= 100 && text.bytes().all(of_a_name) {
        Ok(text.to_owned())
    } else {
        Err("1 to 100 letters, digits, hyphens and underscores, a letter or digit first".into())
    }
}

async fn check(listen: &[SocketAddr]) -> Result<ExitCode, Failure> {
    let mut code = ExitCode::SUCCESS;
    for address in listen {
        let (is_good, said) = creds::health(*address).await.map_err(failure)?;
        say(&format!("{said}\n"));
        if !is_good {
            code = ExitCode::FAILURE;
        }
    }
    Ok(code)
}

#[expect(clippy::needless_pass_by_value, reason = "as map_err calls it")]
pub(super) fn failure(trouble: Trouble) -> Failure {
    Failure::new(trouble.to_string())
}

#[cfg(test)]
mod tests {
    //! Flags and variables.

    use std::ffi::OsString;

    use clap::Command;

    use super::*;

    #[test]
    fn every_flag_but_the_question_has_a_variable_of_its_name() {
        let command = AgentArgs::augment_args(Command::new("agent"));
        for flag in command.get_arguments() {
            let name = flag.get_long().unwrap();
            let variable = format!("DAYPASS_AGENT_{}", name.replace('-', "_").to_uppercase());
            let found = flag.get_env().map(|found| found.to_string_lossy().into_owned());
            assert_eq!(found, (name != "check").then_some(variable), "{name}");
        }
    }

    #[test]
    fn a_variable_with_a_slip_in_its_name_is_refused() {
        let check = |name: &str| check_agent_variables::<AgentArgs>([OsString::from(name)]);
        for name in ["DAYPASS_AGENT_HOP_LIMIT", "DAYPASS_PUBLIC_URL", "DAYPASS_AGENT_SERVICE_HOST", "PATH"] {
            check(name).unwrap();
        }
        let line = check("DAYPASS_AGENT_HOPS").unwrap_err().to_string();
        assert!(
            line.starts_with("DAYPASS_AGENT_HOPS is no setting; there are DAYPASS_AGENT_CA_BUNDLE, "),
            "{line}"
        );
    }
}
