//! Files that a command reads, and text of others that it prints.
//!
//! Answers for: what comes from somebody else's file, or from who answers at a socket, neither fills memory nor moves
//! the operator's terminal.

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::FileTypeExt;
use std::path::Path;

use crate::failure::Failure;
use crate::terminal::say;

/// Opens a file or a pipe. What else has a name (a device, a directory) may have no end.
pub(super) fn open(path: &Path) -> Result<File, Failure> {
    let failed = |error| Failure::new(format!("`{}` cannot be read: {error}", path.display()));
    let kind = std::fs::metadata(path).map_err(failed)?.file_type();
    if !kind.is_file() && !kind.is_fifo() {
        return Err(Failure::new(format!("`{}` is neither a file nor a pipe", path.display())));
    }
    File::open(path).map_err(failed)
}

/// The whole of a file that has at most so many bytes.
pub(super) fn read(path: &Path, bytes_max: usize) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let one_more = u64::try_from(bytes_max).unwrap_or(u64::MAX).saturating_add(1);
    let read = open(path)?.take(one_more).read_to_end(&mut bytes);
    read.map_err(|error| Failure::new(format!("`{}` cannot be read: {error}", path.display())))?;
    if bytes.len() > bytes_max {
        return Err(Failure::new(format!("`{}` has more than {bytes_max} bytes", path.display())));
    }
    Ok(bytes)
}

/// Print what another said.
pub(super) fn show(text: &str) {
    say(&visible(text));
}

/// The text with its control characters escaped as JSON does it, line ends aside: an escape sequence in a request or
/// a policy could rewrite what the terminal shows, the verdict included. The result of JSON is JSON still.
pub(super) fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_control() && character != '\n' {
            shown.push_str(&format!("\\u{:04x}", u32::from(character)));
        } else {
            shown.push(character);
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_shown_and_line_ends_kept() {
        assert_eq!(
            visible("a\n\u{1b}[2J\r\u{9b}1A\t\u{7f}ä"),
            "a\n\\u001b[2J\\u000d\\u009b1A\\u0009\\u007fä"
        );
        let json = visible(&serde_json::json!({"id": "\u{9b}2J\u{1b}"}).to_string());
        assert_eq!(serde_json::from_str::<serde_json::Value>(&json).unwrap()["id"], "\u{9b}2J\u{1b}");
    }

    #[test]
    fn a_device_and_a_directory_are_no_files() {
        for path in ["/dev/zero", "/"] {
            let why = open(Path::new(path)).unwrap_err().to_string();
            assert_eq!(why, format!("`{path}` is neither a file nor a pipe"));
        }
    }
}
