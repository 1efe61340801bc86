use std::collections::BTreeMap;

use domino_core::Dag;

use super::lexer::{Lexer, Token};
use super::{BifError, Network, Variable};

/// How far the probabilities of a row may be from summing to 1: files print as few as two digits of
/// each.
const ROUNDING: f64 = 0.02;

/// Entries of a table that one byte of text may stand for: a `default` fills many rows at once.
const ENTRIES_PER_BYTE: usize = 64;

/// Reads a network.
///
/// Rows that the file rounds are scaled to sum to 1. Where a `table` has parents, its entries run
/// through the states of the variable slowest and through the states of the last parent fastest.
///
/// # Errors
/// [`BifError`] naming the line or the variable: if the text is no network, if a variable or a state
/// is unknown or named twice, if rows are missing, given twice or no distributions, or if parents
/// form a cycle.
pub fn parse(text: &str) -> Result<Network, BifError> {
    let mut parser = Parser {
        lexer: Lexer::new(text),
        most: text.len() * ENTRIES_PER_BYTE,
        ..Parser::default()
    };
    while let Some(token) = parser.lexer.next() {
        match token {
            Token::Word("network") => parser.network()?,
            Token::Word("variable") => parser.variable()?,
            Token::Word("probability") => parser.probability()?,
            Token::Word("property") => parser.lexer.skip_statement(),
            token => {
                return Err(BifError::Syntax {
                    line: parser.lexer.line(),
                    expected: "network, variable or probability".into(),
                    got: format!("{token:?}"),
                });
            }
        }
    }
    parser.finish()
}

struct Parser<'a> {
    lexer: Lexer<'a>,
    name: String,
    variables: Vec<Variable>,
    places: BTreeMap<&'a str, usize>,
    /// Entries that a table may have.
    most: usize,
}

impl Default for Parser<'_> {
    fn default() -> Self {
        Self {
            lexer: Lexer::new(""),
            name: String::new(),
            variables: Vec::new(),
            places: BTreeMap::new(),
            most: 0,
        }
    }
}

impl Parser<'_> {
    /// `network NAME { … }`.
    fn network(&mut self) -> Result<(), BifError> {
        self.name = self.lexer.word("a name")?.to_owned();
        self.lexer.expect_mark('{')?;
        while self.lexer.expect("'}' or a property", Some)? != Token::Mark('}') {}
        Ok(())
    }

    /// `variable NAME { type discrete [ 2 ] { a, b }; … }`.
    fn variable(&mut self) -> Result<(), BifError> {
        let name = self.lexer.word("a name")?;
        let line = self.lexer.line();
        if self.places.insert(name, self.variables.len()).is_some() {
            return Err(syntax(line, "a new variable", format!("{name} again")));
        }
        self.lexer.expect_mark('{')?;
        let mut states = Vec::new();
        loop {
            match self.lexer.expect("type, property or '}'", Some)? {
                Token::Mark('}') => break,
                Token::Word("type") => states = self.states()?,
                _ => self.lexer.skip_statement(),
            }
        }
        if states.is_empty() {
            return Err(syntax(line, "a type for the variable", name.to_owned()));
        }
        let (parents, table) = (Vec::new(), Vec::new());
        self.variables.push(Variable { name: name.to_owned(), states, parents, table });
        Ok(())
    }

    /// `discrete [ 2 ] { a, b };`.
    fn states(&mut self) -> Result<Vec<String>, BifError> {
        self.lexer.expect_word("discrete")?;
        self.lexer.expect_mark('[')?;
        let count = self.lexer.number("a number of states")?;
        self.lexer.expect_mark(']')?;
        self.lexer.expect_mark('{')?;
        let mut states: Vec<String> = Vec::new();
        loop {
            let state = self.lexer.word("a state")?;
            states.push(state.to_owned());
            if !self.lexer.comma_or('}')? {
                break;
            }
        }
        let line = self.lexer.line();
        if (count - states.len() as f64).abs() > 0.0 {
            let got = states.len().to_string();
            return Err(syntax(line, &format!("{count} states"), got));
        }
        let mut sorted: Vec<&String> = states.iter().collect();
        sorted.sort_unstable();
        if let Some([twice, _]) = sorted.array_windows().find(|[a, b]| a == b) {
            return Err(syntax(line, "different states", format!("{twice} twice")));
        }
        self.lexer.expect_mark(';')?;
        Ok(states)
    }

    /// `probability ( X | P, Q ) { … }`.
    fn probability(&mut self) -> Result<(), BifError> {
        self.lexer.expect_mark('(')?;
        let child = self.known()?;
        let line = self.lexer.line();
        if !self.variables[child].table.is_empty() {
            let got = format!("{} again", self.variables[child].name);
            return Err(syntax(line, "each variable's probabilities once", got));
        }
        let mut parents = Vec::new();
        let mut more = self.lexer.expect("'|' or ')'", |token| match token {
            Token::Mark('|') => Some(true),
            Token::Mark(')') => Some(false),
            _ => None,
        })?;
        while more {
            let parent = self.known()?;
            if parent == child || parents.contains(&parent) {
                let got = self.variables[parent].name.clone();
                return Err(syntax(self.lexer.line(), "another parent", got));
            }
            parents.push(parent);
            more = self.lexer.comma_or(')')?;
        }
        self.lexer.expect_mark('{')?;
        let table = self.table(child, &parents)?;
        self.variables[child].table = table;
        self.variables[child].parents = parents;
        Ok(())
    }

    fn known(&mut self) -> Result<usize, BifError> {
        let places = &self.places;
        self.lexer.expect("a variable declared above", |token| match token {
            Token::Word(name) => places.get(name).copied(),
            Token::Mark(_) => None,
        })
    }

    /// The body of a `probability`, checked and scaled.
    fn table(&mut self, child: usize, parents: &[usize]) -> Result<Vec<f64>, BifError> {
        let states = self.variables[child].states.len();
        let counts = parents.iter().map(|&parent| self.variables[parent].states.len());
        let rows = counts.fold(1, usize::saturating_mul);
        let entries = rows.saturating_mul(states);
        if entries > self.most {
            let expected = format!("at most {} entries for such a text", self.most);
            return Err(self.wrong(child, expected, entries.to_string()));
        }
        let mut table = vec![f64::NAN; entries];
        let mut default = None;
        loop {
            match self.lexer.expect("'(', table, default, property or '}'", Some)? {
                Token::Mark('}') => break,
                Token::Mark('(') => {
                    let row = self.configuration(parents)?;
                    let values = self.values(child, states)?;
                    let slot = &mut table[row * states..][..states];
                    if !slot[0].is_nan() {
                        let expected = "each configuration of the parents once".into();
                        return Err(self.wrong(child, expected, format!("row {row} again")));
                    }
                    slot.copy_from_slice(&values);
                }
                Token::Word("table") => {
                    let values = self.values(child, entries)?;
                    // The variable is slowest in the file and fastest here.
                    table =
                        (0..entries).map(|at| values[at % states * rows + at / states]).collect();
                }
                Token::Word("default") => default = Some(self.values(child, states)?),
                Token::Word("property") => self.lexer.skip_statement(),
                token => {
                    let expected = "'(', table, default, property or '}'";
                    return Err(syntax(self.lexer.line(), expected, format!("{token:?}")));
                }
            }
        }
        for (row, slot) in table.chunks_exact_mut(states).enumerate() {
            if let (true, Some(default)) = (slot[0].is_nan(), &default) {
                slot.copy_from_slice(default);
            }
            let sum: f64 = slot.iter().sum();
            if sum.is_nan() || (sum - 1.0).abs() > ROUNDING {
                let expected = format!("a distribution over {states} states in row {row}");
                let got = if sum.is_nan() { "none".into() } else { format!("the sum {sum}") };
                return Err(self.wrong(child, expected, got));
            }
            for p in slot {
                *p /= sum;
            }
        }
        Ok(table)
    }

    /// `a, b )`: the row of the table for these states of the parents.
    fn configuration(&mut self, parents: &[usize]) -> Result<usize, BifError> {
        let mut row = 0;
        for (k, &parent) in parents.iter().enumerate() {
            let states = &self.variables[parent].states;
            let expected = format!("a state of {}", self.variables[parent].name);
            let state = self.lexer.expect(&expected, |token| match token {
                Token::Word(word) => states.iter().position(|state| state == word),
                Token::Mark(_) => None,
            })?;
            row = row * states.len() + state;
            self.lexer.expect_mark(if k + 1 < parents.len() { ',' } else { ')' })?;
        }
        if parents.is_empty() {
            return Err(syntax(self.lexer.line(), "table", "'('".into()));
        }
        Ok(row)
    }

    /// `count` probabilities up to a semicolon.
    fn values(&mut self, child: usize, count: usize) -> Result<Vec<f64>, BifError> {
        let mut values = Vec::new();
        loop {
            let value = self.lexer.number("a probability")?;
            if !(0.0..=1.0 + ROUNDING).contains(&value) {
                return Err(self.wrong(child, "values from 0 to 1".into(), value.to_string()));
            }
            values.push(value);
            if !self.lexer.comma_or(';')? {
                break;
            }
        }
        if values.len() != count {
            let got = values.len().to_string();
            return Err(self.wrong(child, format!("{count} values"), got));
        }
        Ok(values)
    }

    fn wrong(&self, child: usize, expected: String, got: String) -> BifError {
        BifError::Table { variable: self.variables[child].name.clone(), expected, got }
    }

    fn finish(self) -> Result<Network, BifError> {
        if self.variables.is_empty() {
            return Err(syntax(self.lexer.line(), "at least one variable", "none".into()));
        }
        if let Some(child) = self.variables.iter().position(|v| v.table.is_empty()) {
            return Err(self.wrong(child, "a table".into(), "none".into()));
        }
        let parents = |(child, variable): (usize, &Variable)| {
            variable.parents.iter().map(move |&parent| (parent, child)).collect::<Vec<_>>()
        };
        let edges: Vec<(usize, usize)> =
            self.variables.iter().enumerate().flat_map(parents).collect();
        let dag = Dag::from_edges(self.variables.len(), &edges)?;
        Ok(Network { name: self.name, variables: self.variables, dag })
    }
}

fn syntax(line: usize, expected: &str, got: String) -> BifError {
    BifError::Syntax { line, expected: expected.to_owned(), got }
}
