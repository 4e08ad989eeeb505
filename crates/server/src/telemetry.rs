//! The log: structured lines on standard error. It never holds a secret, at any level.

use std::str::FromStr;

use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, fmt, registry};

use crate::config::LogFormat;
use crate::failure::Failure;

/// Start logging for this process; a second start changes nothing.
///
/// # Errors
/// The levels cannot be read.
pub(crate) fn start(levels: &str, format: LogFormat) -> Result<(), Failure> {
    let filter = Targets::from_str(levels).map_err(|error| {
        Failure::new(format!("--log {levels}: {error}; try info, debug or daypass_server=debug,warn"))
    })?;
    let lines = fmt::layer().with_writer(std::io::stderr);
    let layer = match format {
        LogFormat::Text => lines.with_ansi(false).boxed(),
        LogFormat::Json => lines.json().boxed(),
    };
    drop(registry().with(layer.with_filter(filter)).try_init());
    Ok(())
}
