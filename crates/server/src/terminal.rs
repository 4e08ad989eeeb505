//! Standard output, for people and for programs that read it.

use std::io::Write;

/// Print. That whoever reads has closed it is no reason to stop.
pub(crate) fn say(text: &str) {
    let mut out = std::io::stdout().lock();
    drop(out.write_all(text.as_bytes()).and_then(|()| out.flush()));
}
