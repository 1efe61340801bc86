use super::BifError;

/// A word, a quoted text or a mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token<'a> {
    Word(&'a str),
    Mark(char),
}

/// Characters that stand alone.
const MARKS: [char; 10] = ['{', '}', '(', ')', '[', ']', ',', ';', '|', '"'];

/// Cuts a text into tokens; spaces and comments go.
#[derive(Clone, Debug)]
pub(super) struct Lexer<'a> {
    rest: &'a str,
    line: usize,
}

impl<'a> Lexer<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { rest: text, line: 1 }
    }

    pub(super) fn line(&self) -> usize {
        self.line
    }

    pub(super) fn next(&mut self) -> Option<Token<'a>> {
        self.skip_space();
        let first = self.rest.chars().next()?;
        if first == '"' {
            let inner = &self.rest[1..];
            // A quote without an end takes the rest.
            let end = inner.find('"').unwrap_or(inner.len());
            self.advance((end + 2).min(self.rest.len()));
            return Some(Token::Word(&inner[..end]));
        }
        if MARKS.contains(&first) {
            self.advance(1);
            return Some(Token::Mark(first));
        }
        let ends = |c: char| c.is_whitespace() || MARKS.contains(&c);
        let end = self.rest.find(ends).unwrap_or(self.rest.len());
        let word = &self.rest[..end];
        self.advance(end);
        Some(Token::Word(word))
    }

    /// Passes over everything up to and with the next semicolon.
    pub(super) fn skip_statement(&mut self) {
        while let Some(token) = self.next() {
            if token == Token::Mark(';') {
                return;
            }
        }
    }

    pub(super) fn expect_mark(&mut self, mark: char) -> Result<(), BifError> {
        self.expect(&format!("{mark:?}"), |token| (token == Token::Mark(mark)).then_some(()))
    }

    pub(super) fn expect_word(&mut self, word: &str) -> Result<(), BifError> {
        self.expect(&format!("{word:?}"), |token| (token == Token::Word(word)).then_some(()))
    }

    pub(super) fn word(&mut self, what: &str) -> Result<&'a str, BifError> {
        self.expect(what, |token| match token {
            Token::Word(word) => Some(word),
            Token::Mark(_) => None,
        })
    }

    pub(super) fn number(&mut self, what: &str) -> Result<f64, BifError> {
        self.expect(what, |token| match token {
            Token::Word(word) => word.parse().ok(),
            Token::Mark(_) => None,
        })
    }

    /// Whether the list goes on after an item: a comma, or `end`.
    pub(super) fn comma_or(&mut self, end: char) -> Result<bool, BifError> {
        self.expect(&format!("',' or {end:?}"), |token| match token {
            Token::Mark(',') => Some(true),
            Token::Mark(mark) if mark == end => Some(false),
            _ => None,
        })
    }

    pub(super) fn expect<T>(
        &mut self,
        expected: &str,
        accept: impl FnOnce(Token<'a>) -> Option<T>,
    ) -> Result<T, BifError> {
        let token = self.next();
        let got = match token {
            Some(Token::Word(word)) => format!("{:?}", word.chars().take(40).collect::<String>()),
            Some(Token::Mark(mark)) => format!("{mark:?}"),
            None => "the end".into(),
        };
        let line = self.line;
        let wrong = || BifError::Syntax { line, expected: expected.into(), got };
        token.and_then(accept).ok_or_else(wrong)
    }

    fn skip_space(&mut self) {
        loop {
            let trimmed = self.rest.trim_start();
            self.advance(self.rest.len() - trimmed.len());
            let length = if self.rest.starts_with("//") {
                self.rest.find('\n')
            } else if self.rest.starts_with("/*") {
                self.rest.find("*/").map(|end| end + 2)
            } else {
                return;
            };
            self.advance(length.unwrap_or(self.rest.len()));
        }
    }

    fn advance(&mut self, bytes: usize) {
        let (passed, rest) = self.rest.split_at(bytes);
        self.line += passed.matches('\n').count();
        self.rest = rest;
    }
}
