//! How much of a claim is carried by its sources, by their words alone.
//!
//! A model writes sentences of common words as easily as names and numbers, and gives each a real citation. So
//! the words of a claim have to be those of its sources: the same ones, other forms of them, or one of a small
//! table of words that mean the same. Names and numbers are not weighed here, they have checks of their own.

mod causes;
mod concepts;
mod reading;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};

pub use causes::{is_stated_cause, named_causes};

use super::{
    events::names_a_cause,
    ground::{is_chinese, plain},
};
use concepts::{CAUSE, RULED_OUT, is_deed};
use reading::{Clause, Key, clauses};

/// What texts say, as far as their words tell.
#[derive(Debug, Default)]
pub struct Carrier {
    keys: HashSet<Key>,
    /// Deeds that are told, and that are denied.
    told: HashMap<usize, (bool, bool)>,
    counted: HashSet<(String, Key)>,
    has_chinese: bool,
    has_other: bool,
}

/// How much of a claim is carried.
#[derive(Debug, Clone, PartialEq)]
pub struct Support {
    /// What of it occurs in the sources.
    pub carried: usize,
    /// What there is to carry.
    pub all: usize,
    /// The most that stands in one clause of which nothing at all is carried.
    pub bare: usize,
    /// Words that no source has.
    pub missing: Vec<String>,
}

/// What an English word weighs, and one of the table; a Chinese character weighs the half.
const WORD: usize = 2;

/// What the words of a claim weigh against its sources.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weight {
    /// Its sources carry it.
    Carried,
    /// They carry little of it.
    Thin,
    /// They do not carry it.
    Bare,
}

/// Below this share a claim is thin, and below that one it is bare.
const THIN: f64 = 0.5;
const BARE: f64 = 0.34;
/// So much in one clause of which nothing is carried is thin in itself, two words; one more is bare.
const CLAUSE: usize = 2 * WORD;

impl Support {
    /// How it weighs.
    pub fn weight(&self) -> Weight {
        match self.share() {
            share if share < BARE => Weight::Bare,
            _ if self.bare >= CLAUSE + WORD => Weight::Bare,
            share if share < THIN || self.bare >= CLAUSE => Weight::Thin,
            _ => Weight::Carried,
        }
    }

    /// The share that is carried; all of a claim that has nothing to carry.
    pub fn share(&self) -> f64 {
        match self.all {
            0 => 1.0,
            all => self.carried as f64 / all as f64,
        }
    }

    /// The missing words as a list, the first few of them.
    pub fn missing_words(&self) -> String {
        let shown: Vec<&str> = self.missing.iter().take(5).map(String::as_str).collect();
        shown.join(", ")
    }
}

impl Carrier {
    /// One more text to rest on.
    pub fn add(&mut self, text: &str) {
        match is_chinese(text) {
            true => self.has_chinese = true,
            false => self.has_other |= text.chars().any(char::is_alphabetic),
        }
        for clause in clauses(text) {
            self.keys
                .extend(clause.terms.iter().map(|term| term.key.clone()));
            for run in &clause.runs {
                self.keys
                    .extend(run.windows(2).map(|pair| Key::Pair(pair[0], pair[1])));
            }
            for (deed, is_denied) in deeds(&clause) {
                let told = self.told.entry(deed).or_default();
                match is_denied {
                    true => told.1 = true,
                    false => told.0 = true,
                }
            }
            self.counted.extend(clause.counted);
        }
    }

    /// Words that a claim may use although nobody told or denied anything with them.
    pub fn add_word(&mut self, words: &str) {
        let words = Self::of([words]);
        self.keys.extend(words.keys);
    }

    /// These texts.
    pub fn of<'a>(texts: impl IntoIterator<Item = &'a str>) -> Self {
        let mut carrier = Self::default();
        texts.into_iter().for_each(|text| carrier.add(text));
        carrier
    }

    /// Whether there is anything in it.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Whether some text is written as the claim is, so that words can be held against words.
    pub fn speaks_as(&self, claim: &str) -> bool {
        match is_chinese(claim) {
            true => self.has_chinese,
            false => self.has_other,
        }
    }

    /// How much of a claim is carried. Where no text is in its language, only words of the table are weighed.
    pub fn support(&self, claim: &str) -> Support {
        let bridged = !self.speaks_as(claim);
        let mut support = Support {
            carried: 0,
            all: 0,
            bare: 0,
            missing: Vec::new(),
        };
        for clause in clauses(&plain(claim)) {
            let (carried, all) = self.weigh(&clause, bridged, &mut support.missing);
            support.carried += carried;
            support.all += all;
            if carried == 0 {
                support.bare = support.bare.max(all);
            }
        }
        support
    }

    fn weigh(&self, clause: &Clause, bridged: bool, missing: &mut Vec<String>) -> (usize, usize) {
        let (mut carried, mut all) = (0, 0);
        for term in &clause.terms {
            // Causes are held against causes elsewhere, and the mere word proves nothing.
            let is_weighed = match term.key {
                Key::Concept(concept) => concept != CAUSE,
                Key::Word(_) | Key::Pair(..) => !bridged,
            };
            if !is_weighed {
                continue;
            }
            all += WORD;
            match self.keys.contains(&term.key) {
                true => carried += WORD,
                false => missing.push(term.surface.clone()),
            }
        }
        for run in clause.runs.iter().filter(|_| !bridged) {
            // A character is carried with either of its neighbours, since words are not told apart.
            let pairs: Vec<bool> = run
                .windows(2)
                .map(|pair| self.keys.contains(&Key::Pair(pair[0], pair[1])))
                .collect();
            let is_carried = |at: usize| {
                pairs.get(at) == Some(&true) || at > 0 && pairs.get(at - 1) == Some(&true)
            };
            let count = (0..run.len()).filter(|at| is_carried(*at)).count();
            carried += count;
            all += run.len();
            if count == 0 {
                missing.push(run.iter().collect());
            }
        }
        (carried, all)
    }

    /// What the claim tells and all of its sources deny, or the other way round.
    pub fn denies(&self, claim: &str) -> Option<String> {
        let read = clauses(claim);
        let told: Vec<(usize, bool)> = read.iter().flat_map(deeds).collect();
        let terms = read.iter().flat_map(|clause| &clause.terms);
        let opposed = told.iter().find(|(deed, is_denied)| {
            // A claim that tells both is about the change from one to the other.
            let both = told.contains(&(*deed, !is_denied));
            match self.told.get(deed) {
                Some((true, false)) => *is_denied && !both,
                Some((false, true)) => !is_denied && !both,
                _ => false,
            }
        })?;
        terms
            .into_iter()
            .find(|term| term.key == Key::Concept(opposed.0))
            .map(|term| term.surface.clone())
    }

    /// A number of the claim that counts there what another number counts in the sources.
    pub fn swapped(&self, claim: &str) -> Option<String> {
        let read = clauses(claim).into_iter().flat_map(|clause| clause.counted);
        let is_swapped = |(number, what): &(String, Key)| {
            let counts_other = self.counted.iter().any(|(n, of)| n == number && of != what);
            let is_counted = self.counted.iter().any(|(n, of)| n != number && of == what);
            let agrees = self.counted.contains(&(number.clone(), what.clone()));
            counts_other && is_counted && !agrees
        };
        let mut swapped = read.into_iter().filter(is_swapped);
        swapped.next().map(|(number, _)| number)
    }
}

/// Whether wherever a text speaks of a cause, it says that something is not the cause.
pub fn denies_a_cause(text: &str) -> bool {
    let parts = text.split([',', ';', '，', '；', '。', '\n']);
    let mut parts = parts.filter(|part| names_a_cause(part)).peekable();
    parts.peek().is_some()
        && parts.all(|part| {
            let told: Vec<(usize, bool)> = clauses(part).iter().flat_map(deeds).collect();
            let ruled_out = told.contains(&(RULED_OUT, false));
            ruled_out || told.contains(&(CAUSE, true)) && !told.contains(&(CAUSE, false))
        })
}

/// The deeds of a clause that says how it is, each with whether it is denied.
fn deeds(clause: &Clause) -> Vec<(usize, bool)> {
    if clause.is_unsure {
        return Vec::new();
    }
    let terms = clause.terms.iter().filter_map(|term| match term.key {
        Key::Concept(concept) if is_deed(concept) => Some((concept, term.is_denied)),
        _ => None,
    });
    terms.collect()
}
