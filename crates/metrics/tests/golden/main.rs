//! Values that public tools computed, with their tolerances: see `README.md` and `meta` in
//! `expected.json`. `DOMINO_GOLDEN` names another folder of the same form.

#![expect(clippy::unwrap_used, reason = "a fixture that cannot be read fails the test")]

mod citris;
mod classifiers;
mod dci;
mod graphs;
mod information;
mod mcc;
mod regression;
mod support;
mod tables;
mod targets;
mod udr;
