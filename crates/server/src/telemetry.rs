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
    let wrong = |why: &str| {
        Failure::new(format!("--log {levels}: {why}; try info, debug or daypass_server=debug,warn"))
    };
    // A bare word that is no level would be taken for a target, and nothing else would be logged.
    let level =
        |part: &str| part.contains('=') || LEVELS.iter().any(|level| level.eq_ignore_ascii_case(part));
    if let Some(part) = levels.split(',').find(|part| !level(part.trim())) {
        return Err(wrong(&format!("`{}` is no level", part.trim())));
    }
    let filter = Targets::from_str(levels).map_err(|error| wrong(&error.to_string()))?;
    let lines = fmt::layer().with_writer(std::io::stderr);
    let layer = match format {
        LogFormat::Text => lines.with_ansi(false).boxed(),
        LogFormat::Json => lines.json().boxed(),
    };
    drop(registry().with(layer.with_filter(filter)).try_init());
    Ok(())
}
