//! The environment: what is read from it alone, and names in it that are none of ours.

use std::ffi::OsString;

use clap::{Args, Command};

use super::ServeArgs;
use crate::failure::Failure;

/// Behind the settings in `serve --help`.
pub(crate) const ENVIRONMENT_HELP: &str = "\
Read from the environment alone:
  DAYPASS_MASTER_KEY              the master key itself, 32 bytes in base64
  DAYPASS_ACCOUNT_ID              on the first start: number of the first account
  DAYPASS_ROOT_ACCESS_KEY_ID      on the first start: id of its root key, and
  DAYPASS_ROOT_SECRET_ACCESS_KEY  that key's secret";
/// What is read from the environment alone.
const ENVIRONMENT_ONLY: [&str; 4] = [
    "DAYPASS_ACCOUNT_ID",
    "DAYPASS_MASTER_KEY",
    "DAYPASS_ROOT_ACCESS_KEY_ID",
    "DAYPASS_ROOT_SECRET_ACCESS_KEY",
];

/// How variables begin that configure an agent and no server.
pub(crate) const AGENT_PREFIX: &str = "DAYPASS_AGENT_";

/// Refuse a `DAYPASS_*` variable that is none of ours. A setting with a slip in its name would not be in force,
/// and nobody would know: `DAYPASS_PUBLIC_URI` is a server that answers requests signed for any host.
///
/// # Errors
/// There is one; its value is not repeated.
pub(crate) fn check_variables(names: impl IntoIterator<Item = OsString>) -> Result<(), Failure> {
    // An agent of the same environment looks at its own.
    let is_agents = |name: &OsString| name.to_string_lossy().starts_with(AGENT_PREFIX);
    let names = names.into_iter().filter(|name| !is_agents(name));
    refuse_others::<ServeArgs>("DAYPASS_", &ENVIRONMENT_ONLY, names)
}

/// The same of `DAYPASS_AGENT_*` and the flags of an agent.
///
/// # Errors
/// There is one.
pub(crate) fn check_agent_variables<A: Args>(
    names: impl IntoIterator<Item = OsString>,
) -> Result<(), Failure> {
    refuse_others::<A>(AGENT_PREFIX, &[], names)
}

fn refuse_others<A: Args>(
    prefix: &str,
    besides: &[&str],
    names: impl IntoIterator<Item = OsString>,
) -> Result<(), Failure> {
    let settings = A::augment_args(Command::new("daypass"));
    let settings = settings.get_arguments().filter_map(|arg| arg.get_env()).filter_map(|name| name.to_str());
    let mut known: Vec<&str> = settings.chain(besides.iter().copied()).collect();
    known.sort_unstable();
    let names = names.into_iter().map(|name| name.to_string_lossy().into_owned());
    for name in names.filter(|name| name.starts_with(prefix)) {
        if !known.contains(&name.as_str()) && !is_service_link(&name) {
            return Err(Failure::new(format!("{name} is no setting; there are {}", known.join(", "))));
        }
    }
    Ok(())
}

/// Kubernetes tells every pod where a Service called `daypass` or `daypass-…` is, in variables of these forms
/// ("Discovering services" in its documentation).
fn is_service_link(name: &str) -> bool {
    name.ends_with("_SERVICE_HOST")
        || name.contains("_SERVICE_PORT")
        || name.ends_with("_PORT")
        || name.contains("_PORT_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn help_names_what_only_the_environment_gives() {
        for name in ENVIRONMENT_ONLY {
            assert!(ENVIRONMENT_HELP.contains(&format!("\n  {name} ")), "{name}");
        }
    }

    #[test]
    fn variables_that_name_no_setting_are_refused_and_others_programs_are_left_alone() {
        let check = |names: &[&str]| check_variables(names.iter().map(OsString::from));
        check(&["PATH", "AWS_REGION", "daypass_data", "DAYPASS_DATA", "DAYPASS_AUDIT_ROTATE_MIB"]).unwrap();
        check(&ENVIRONMENT_ONLY).unwrap();
        check(&["DAYPASS_AGENT_SERVER"]).unwrap();
        let links = ["DAYPASS_PORT", "DAYPASS_PORT_7777_TCP_ADDR", "DAYPASS_ADMIN_SERVICE_HOST"];
        check(&[&links[..], &["DAYPASS_SERVICE_PORT", "DAYPASS_SERVICE_PORT_HTTP"]].concat()).unwrap();
        for name in ["DAYPASS_PUBLIC_URI", "DAYPASS_", "DAYPASS_DATA_"] {
            let line = check(&["DAYPASS_DATA", name]).unwrap_err().to_string();
            assert!(line.starts_with(&format!("{name} is no setting")), "{line}");
            assert!(line.contains("DAYPASS_PUBLIC_URL") && line.contains("DAYPASS_MASTER_KEY"), "{line}");
        }
    }
}
