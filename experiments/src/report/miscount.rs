//! Models that have more variables than the data, or fewer.

use std::cmp::Ordering;

use super::Report;

/// What scores mean where `learned` variables are compared with `known` true ones; nothing where there
/// are as many of both.
pub fn miscount(learned: usize, known: usize) -> Option<String> {
    let rule = match learned.cmp(&known) {
        Ordering::Equal => return None,
        Ordering::Less => {
            "a true variable without a learned one counts as correlation 0, its edges as missing, \
             and interventions on it as named wrongly"
        }
        Ordering::Greater => {
            "a learned variable without a true one stands for no true target, and its edges count \
             as made up"
        }
    };
    Some(format!("model.d is {learned}, but the data has d = {known}: {rule}."))
}

impl Report {
    /// The same of this run, with the names of the variables that have no partner.
    pub(super) fn miscount(&self) -> Option<String> {
        let scores = self.scores.as_ref()?;
        let rule = miscount(self.d, scores.matching.len())?;
        let factors = scores.factor_names.iter().zip(&scores.matching);
        let missing = factors.filter(|(_, code)| code.is_none()).map(|(name, _)| name.as_str());
        let codes = self.variables.iter().enumerate();
        let alone = codes.filter(|&(code, _)| !scores.matching.contains(&Some(code)));
        let alone = alone.map(|(_, variable)| variable.name.as_str());
        let listed = |without: &str, names: Vec<&str>| {
            let names = names.join(", ");
            (!names.is_empty()).then(|| format!(" Without a {without} variable: {names}."))
        };
        let lists = [listed("learned", missing.collect()), listed("true", alone.collect())];
        Some(rule + &lists.into_iter().flatten().collect::<String>())
    }
}
