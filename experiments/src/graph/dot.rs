//! The language of Graphviz: one directed graph without subgraphs.

use std::fmt::Write;

use super::Graph;
use super::file::Parsed;

pub(super) fn render(graph: &Graph) -> String {
    let quoted = |number: usize| {
        format!("\"{}\"", graph.names[number].replace('\\', "\\\\").replace('"', "\\\""))
    };
    let mut text = String::from("digraph learned {\n  node [shape=box, style=rounded];\n");
    for number in 0..graph.dim() {
        let _ = writeln!(text, "  {};", quoted(number));
    }
    for (from, to) in graph.learned.dag.edges() {
        let p = graph.learned.edge_probs[(from, to)];
        let (from, to, width) = (quoted(from), quoted(to), 0.5 + 2.5 * p);
        let _ = writeln!(
            text,
            "  {from} -> {to} [probability=\"{p}\", label=\"{p:.2}\", penwidth={width:.2}];"
        );
    }
    text + "}\n"
}

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Name(String),
    Mark(char),
    Arrow,
}

/// Nodes in the order in which they are first named, and edges; a `probability` counts, or a
/// `label` that is one.
pub(super) fn parse(text: &str) -> Result<Parsed, String> {
    let mut parser = Parser { tokens: tokens(text)?, at: 0, found: Parsed::default() };
    parser.graph()?;
    Ok(parser.found)
}

struct Parser {
    tokens: Vec<Token>,
    at: usize,
    found: Parsed,
}

impl Parser {
    fn next(&mut self) -> Option<Token> {
        self.at += 1;
        self.tokens.get(self.at - 1).cloned()
    }

    fn take(&mut self, token: &Token) -> bool {
        let is_next = self.tokens.get(self.at) == Some(token);
        self.at += usize::from(is_next);
        is_next
    }

    fn wrong(&self, expected: &str) -> String {
        let got = self.tokens.get(self.at.saturating_sub(1));
        format!("token {}: expected {expected}, got {got:?}", self.at)
    }

    fn graph(&mut self) -> Result<(), String> {
        let word = |text: &str| Some(Token::Name(text.to_owned()));
        let mut first = self.next();
        if first == word("strict") {
            first = self.next();
        }
        if first != word("digraph") {
            return Err(self.wrong("digraph"));
        }
        while !self.take(&Token::Mark('{')) {
            let Some(Token::Name(_)) = self.next() else { return Err(self.wrong("{")) };
        }
        while !self.take(&Token::Mark('}')) {
            self.statement()?;
        }
        Ok(())
    }

    fn statement(&mut self) -> Result<(), String> {
        if self.take(&Token::Mark(';')) {
            return Ok(());
        }
        let Some(Token::Name(first)) = self.next() else {
            return Err(self.wrong("a node or an edge"));
        };
        if self.take(&Token::Mark('=')) {
            self.next();
            return Ok(());
        }
        if matches!(first.as_str(), "node" | "edge" | "graph") {
            return self.attributes().map(drop);
        }
        if first == "subgraph" {
            return Err(self.wrong("a graph without subgraphs"));
        }
        let mut path = vec![self.number(first)];
        while self.take(&Token::Arrow) {
            let Some(Token::Name(name)) = self.next() else { return Err(self.wrong("a node")) };
            path.push(self.number(name));
        }
        let probability = self.attributes()?.unwrap_or(1.0);
        for ends in path.windows(2) {
            self.found.edges.push((ends[0], ends[1], probability));
        }
        Ok(())
    }

    /// The probability among the attributes, if there are any and one tells of it.
    fn attributes(&mut self) -> Result<Option<f64>, String> {
        let (mut label, mut probability) = (None, None);
        while self.take(&Token::Mark('[')) {
            while !self.take(&Token::Mark(']')) {
                if self.take(&Token::Mark(',')) || self.take(&Token::Mark(';')) {
                    continue;
                }
                let (Some(Token::Name(key)), true) = (self.next(), self.take(&Token::Mark('=')))
                else {
                    return Err(self.wrong("key=value"));
                };
                let Some(Token::Name(value)) = self.next() else {
                    return Err(self.wrong("a value"));
                };
                let number = value.parse().ok().filter(|p| (0.0..=1.0).contains(p));
                match key.as_str() {
                    "probability" => probability = number,
                    "label" => label = number,
                    _ => {}
                }
            }
        }
        Ok(probability.or(label))
    }

    fn number(&mut self, name: String) -> usize {
        let names = &mut self.found.names;
        names.iter().position(|known| *known == name).unwrap_or_else(|| {
            names.push(name);
            names.len() - 1
        })
    }
}

fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let used = if rest.starts_with("//") || first == '#' {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else if rest.starts_with("->") {
            tokens.push(Token::Arrow);
            2
        } else if first == '"' {
            let (name, used) = quoted(rest).ok_or("expected a closing quote, got the end")?;
            tokens.push(Token::Name(name));
            used
        } else if is_plain(first) || (first == '-' && rest[1..].starts_with(is_plain)) {
            let end = rest[1..].find(|c| !is_plain(c)).map_or(rest.len(), |end| end + 1);
            tokens.push(Token::Name(rest[..end].to_owned()));
            end
        } else if "{}[];,=".contains(first) {
            tokens.push(Token::Mark(first));
            1
        } else {
            return Err(format!("expected a directed graph in the DOT language, got {first:?}"));
        };
        rest = rest[used..].trim_start();
    }
    Ok(tokens)
}

fn is_plain(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '.'
}

/// A quoted name and the bytes it takes.
fn quoted(text: &str) -> Option<(String, usize)> {
    let mut name = String::new();
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match (c, escaped) {
            ('"', false) => return Some((name, at + 1)),
            ('\\', false) => escaped = true,
            _ => {
                name.push(c);
                escaped = false;
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn graphs_written_by_others_are_read() {
        let text = "/* by hand */ strict digraph G { rankdir=LR; node [shape=circle]\n\
                    a -> b -> \"c \\\"d\\\"\" [label=0.25, color=red]; e // alone\n }";
        let found = parse(text).unwrap();
        assert_eq!(found.names, ["a", "b", "c \"d\"", "e"]);
        assert_eq!(found.edges, [(0, 1, 0.25), (1, 2, 0.25)]);
        assert_eq!(parse("digraph{}").unwrap(), Parsed::default());
        for wrong in ["graph { a -- b }", "digraph { a -> }", "digraph { \"a }", "digraph { a"] {
            assert!(parse(wrong).unwrap_err().contains("expected"), "{wrong}");
        }
    }
}
