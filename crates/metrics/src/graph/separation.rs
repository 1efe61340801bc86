//! Paths in a DAG: which effects exist, and which sets identify them.

use domino_core::Dag;

/// The variables that a directed path leads to `of` from, itself excluded, `[d]`.
pub(super) fn ancestors(dag: &Dag, of: usize) -> Vec<bool> {
    let mut found = vec![false; dag.dim()];
    for &node in dag.topological_order().iter().rev() {
        found[node] = dag.children(node).any(|c| c == of || found[c]);
    }
    found
}

/// A DAG with its edges as lists and the descendants of every variable.
pub(super) struct Effects {
    parents: Vec<Vec<usize>>,
    children: Vec<Vec<usize>>,
    descendants: Vec<Vec<bool>>,
}

impl Effects {
    pub(super) fn new(dag: &Dag) -> Self {
        let all = 0..dag.dim();
        Self {
            parents: all.clone().map(|k| dag.parents(k).collect()).collect(),
            children: all.clone().map(|k| dag.children(k).collect()).collect(),
            descendants: all.map(|k| dag.descendants(k)).collect(),
        }
    }

    /// Whether a directed path leads from cause to effect.
    pub(super) fn exists(&self, cause: usize, effect: usize) -> bool {
        self.descendants[cause][effect]
    }

    /// Whether adjusting for the set, `[d]`, identifies the effect of `cause` on `effect`: no member
    /// descends from a variable on a directed path between them, and the set separates them once
    /// the first edges of these paths are cut.
    pub(super) fn is_identified_by(&self, set: &[bool], cause: usize, effect: usize) -> bool {
        if set[cause] || set[effect] {
            return false;
        }
        let forbidden = self.forbidden(cause, effect);
        let is_allowed = set.iter().zip(&forbidden).all(|(&member, &no)| !(member && no));
        is_allowed && !self.is_connected_by_other_paths(set, cause, effect)
    }

    /// The parents of the variables on directed paths, less their descendants and the cause, `[d]`.
    pub(super) fn optimal_adjustment(&self, cause: usize, effect: usize) -> Vec<bool> {
        let forbidden = self.forbidden(cause, effect);
        let mut set = vec![false; self.parents.len()];
        for node in self.between(cause, effect) {
            for &parent in &self.parents[node] {
                set[parent] = parent != cause && !forbidden[parent];
            }
        }
        set
    }

    /// The variables on directed paths from cause to effect, the cause excluded.
    fn between(&self, cause: usize, effect: usize) -> impl Iterator<Item = usize> + '_ {
        (0..self.parents.len()).filter(move |&k| {
            self.descendants[cause][k] && (k == effect || self.descendants[k][effect])
        })
    }

    /// These variables and their descendants, `[d]`.
    fn forbidden(&self, cause: usize, effect: usize) -> Vec<bool> {
        let mut forbidden = vec![false; self.parents.len()];
        for node in self.between(cause, effect) {
            forbidden[node] = true;
            for (no, &descends) in forbidden.iter_mut().zip(&self.descendants[node]) {
                *no |= descends;
            }
        }
        forbidden
    }

    /// Whether a path that the set leaves open joins the two, other than a directed one.
    ///
    /// Walks along open paths, coming to each variable along an edge or against it (Shachter,
    /// *Bayes-ball*, UAI 1998).
    fn is_connected_by_other_paths(&self, set: &[bool], cause: usize, effect: usize) -> bool {
        const ALONG: usize = 0;
        const AGAINST: usize = 1;
        let leads_to_effect = |k: usize| k == effect || self.descendants[k][effect];
        let opens_collider = |k: usize| {
            set[k] || self.descendants[k].iter().zip(set).any(|(&below, &member)| below && member)
        };
        let mut seen = vec![[false; 2]; self.parents.len()];
        let mut next: Vec<(usize, usize)> =
            self.parents[cause].iter().map(|&p| (p, AGAINST)).collect();
        next.extend(
            self.children[cause].iter().filter(|&&c| !leads_to_effect(c)).map(|&c| (c, ALONG)),
        );
        while let Some((node, came)) = next.pop() {
            if node == effect {
                return true;
            }
            if node == cause || std::mem::replace(&mut seen[node][came], true) {
                continue;
            }
            let up = if came == ALONG { opens_collider(node) } else { !set[node] };
            if up {
                next.extend(self.parents[node].iter().map(|&p| (p, AGAINST)));
            }
            if !set[node] {
                next.extend(self.children[node].iter().map(|&c| (c, ALONG)));
            }
        }
        false
    }
}
