//! As much XML as the graph files need.

/// A tag with its attributes, and the text up to the next tag.
pub(super) struct Tag {
    pub(super) name: String,
    attributes: Vec<(String, String)>,
    pub(super) text: String,
}

impl Tag {
    pub(super) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(found, _)| found == name).map(|(_, value)| &**value)
    }
}

/// All tags of a text in order; closing ones keep their slash.
pub(super) fn tags(text: &str) -> Vec<Tag> {
    let mut pieces = text.split('<');
    pieces.next();
    pieces.filter_map(tag).collect()
}

fn tag(piece: &str) -> Option<Tag> {
    let (inside, text) = piece.split_once('>')?;
    let inside = inside.trim_end_matches('/');
    let (name, mut rest) = inside.split_once(char::is_whitespace).unwrap_or((inside, ""));
    let mut attributes = Vec::new();
    while let Some((key, after)) = rest.split_once('=') {
        let after = after.trim_start();
        let quote = after.chars().next().filter(|c| matches!(c, '"' | '\''))?;
        let (value, next) = after[1..].split_once(quote)?;
        attributes.push((key.trim().to_owned(), unescape(value)));
        rest = next;
    }
    Some(Tag { name: name.to_owned(), attributes, text: unescape(text) })
}

pub(super) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

fn unescape(text: &str) -> String {
    let plain = text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"");
    plain.replace("&apos;", "'").replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_any_letters_come_back() {
        let name = r#"a<b> & "c" 'd'=e"#;
        let found = tags(&format!("<x id=\"{}\" n='2'/>rest", escape(name)));
        assert_eq!((found[0].attribute("id"), found[0].attribute("n")), (Some(name), Some("2")));
        assert_eq!((found[0].name.as_str(), found[0].text.as_str()), ("x", "rest"));
    }
}
