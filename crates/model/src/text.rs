//! Text of a caller's own, where a record, a message or a log repeats it.

/// At most `max` characters of it.
#[must_use]
pub fn cut(text: &str, max: usize) -> &str {
    text.char_indices().nth(max).and_then(|(end, _)| text.get(..end)).unwrap_or(text)
}
