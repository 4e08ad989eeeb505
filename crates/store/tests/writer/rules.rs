//! What the killed writer writes: known to it and to the test that checks what it left.

/// Writers at work in the process.
pub(crate) const WRITERS: usize = 4;
/// Facts are spent at this time and expire much later.
pub(crate) const NOW: i64 = 1_000;
pub(crate) const EXPIRES_AT: i64 = 2_000;

/// Holds the number of the writer's last commit.
pub(crate) fn count_key(writer: usize) -> String {
    format!("/count/{writer}")
}

/// The two rows of a commit; both hold its payload.
pub(crate) fn row_keys(writer: usize, n: usize) -> [String; 2] {
    [format!("/row/{writer}/{n:06}/a"), format!("/row/{writer}/{n:06}/b")]
}

/// Put by commit `n` and deleted by the one after.
pub(crate) fn passing_key(writer: usize, n: usize) -> String {
    format!("/passing/{writer}/{n:06}")
}

pub(crate) fn fact(writer: usize, n: usize) -> String {
    format!("fact/{writer}/{n}")
}

/// From a few bytes to several pages of the file.
pub(crate) fn payload(writer: usize, n: usize) -> String {
    format!("{writer}:{n};").repeat(1 + (n * 37 + writer * 11) % 900)
}
