//! The log: structured lines on standard error. It never holds a secret, at any level.

use std::str::FromStr;

use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, fmt, registry};

use crate::config::LogFormat;
use crate::failure::Failure;

const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];

/// Start logging for this process; a second start changes nothing.
///
/// # Errors
/// The levels cannot be read.
pub(crate) fn start(levels: &str, format: LogFormat) -> Result<(), Failure> {
    let filter = filter(levels)?;
    let lines = fmt::layer().with_writer(std::io::stderr);
    let layer = match format {
        LogFormat::Text => lines.with_ansi(false).boxed(),
        LogFormat::Json => lines.json().boxed(),
    };
    drop(registry().with(layer.with_filter(filter)).try_init());
    Ok(())
}

/// # Errors
/// The levels cannot be read.
pub(crate) fn check(levels: &str) -> Result<(), Failure> {
    filter(levels).map(drop)
}

/// What is logged. A bare level below info is meant for daypass: what libraries log there, whole requests with
/// what is secret in them included, has to be asked for by their names.
fn filter(levels: &str) -> Result<Targets, Failure> {
    let wrong = |why: &str| {
        Failure::new(format!("--log {levels}: {why}; try info, debug or daypass_server=debug,warn"))
    };
    // A bare word that is no level would be taken for a target, and nothing else would be logged.
    let level = |part: &str| LEVELS.iter().any(|level| level.eq_ignore_ascii_case(part));
    let given = levels.split(',').map(|part| part.rsplit_once('=').map_or(part, |(_, level)| level).trim());
    if let Some(part) = given.into_iter().find(|part| !level(part)) {
        return Err(wrong(&format!("`{part}` is no level; there are {}", LEVELS.join(", "))));
    }
    let ours = levels.split(',').map(|part| match part.trim().to_ascii_lowercase().as_str() {
        low @ ("debug" | "trace") => format!("info,daypass={low},bucket={low}"),
        _ => part.to_owned(),
    });
    Targets::from_str(&ours.collect::<Vec<_>>().join(",")).map_err(|error| wrong(&error.to_string()))
}

#[cfg(test)]
mod tests {
    use tracing::Level;

    use super::*;

    #[test]
    fn a_bare_level_is_daypass_own() {
        for (levels, target, level, logged) in [
            ("debug", "daypass_server::http", Level::DEBUG, true),
            ("DEBUG", "daypass_service::pipeline", Level::DEBUG, true),
            ("trace", "h2::server", Level::DEBUG, false),
            ("trace", "hyper::proto", Level::INFO, true),
            ("debug,h2=debug", "h2::server", Level::DEBUG, true),
            ("warn", "daypass_server::http", Level::INFO, false),
            ("daypass_authn=debug,warn", "daypass_server::http", Level::INFO, false),
            ("off", "daypass_server::http", Level::ERROR, false),
        ] {
            assert_eq!(filter(levels).unwrap().would_enable(target, &level), logged, "{levels} {target}");
        }
        for (levels, part) in
            [("debgu", "debgu"), ("info,foo=bar", "bar"), ("h2=", ""), ("a=b=debgu", "debgu")]
        {
            let line = filter(levels).unwrap_err().to_string();
            assert!(
                line.starts_with(&format!("--log {levels}: `{part}` is no level; there are off, error,")),
                "{line}"
            );
        }
    }
}
