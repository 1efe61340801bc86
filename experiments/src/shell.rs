//! Words for a shell.

/// The word as POSIX shells read it back.
///
/// ```
/// use domino_experiments::shell::quoted;
///
/// assert_eq!(quoted("data.path=a.npz"), "data.path=a.npz");
/// assert_eq!(quoted("it's"), r"'it'\''s'");
/// ```
pub fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,+@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}
