//! What a sentence calls the cause, and whether those who stated a cause spoke of the same.

use std::sync::LazyLock;

use regex::Regex;

use super::{CAUSE, Carrier, Key, WORD};
use crate::postmortem::ground::{Ground, tokens};

/// A cause that follows its verb, until the thought ends.
static AFTER: LazyLock<Regex> = LazyLock::new(|| {
    regex(
        r"(?i)(?:\b(?:caused by|due to|owing to|because of|because|triggered by|stem(?:s|med|ming) from|traced (?:back )?to|result of|attributed to|brought (?:down|on) by|(?:cause|culprit|reason)(?: (?:of|for|behind) [^,.;:]{1,60}?)? (?:was|is|were)|(?:cause|culprit|reason):)|(?:根因|根本原因|原因|起因|诱因|罪魁祸首)(?:是|为|在于|[:：])|由于|因为|源于|归因于|归咎于)\s*([^.;:。；\n]{2,}?)(?:,|，|导致|引起|造成|引发|[.;。；\n]|\.?$)",
    )
});

/// A cause that stands before its verb.
static BEFORE: LazyLock<Regex> = LazyLock::new(|| {
    regex(
        r"(?i)([^.;。；\n]{2,}?)(?:\b(?:(?:was|is|were|are) (?:the |a )?(?:root |main |real )?(?:cause|culprit|reason)\b|led to|leads to|resulted in|caused (?:the|a|an|all|our|this|these|some|many|every|timeouts|errors|orders|payments)\b|triggered (?:the|a|an)\b|brought down)|(?:就)?是(?:本次|这次)?(?:根因|根本原因|原因|罪魁祸首)|导致|引起|造成|引发|致使)",
    )
});

fn regex(pattern: &str) -> Regex {
    Regex::new(pattern).expect("every pattern is compiled by a test")
}

/// How much of a named cause has to be carried by those who stated one.
const CARRIED_MIN: f64 = 0.5;

/// What a text calls a cause: none, where it does so in a way that is not understood.
pub fn named_causes(text: &str) -> Vec<String> {
    let found = AFTER.captures_iter(text).chain(BEFORE.captures_iter(text));
    let mut causes: Vec<String> = found
        .filter_map(|captures| captures.get(1))
        .map(|cause| {
            cause
                .as_str()
                .trim_matches([' ', ',', '，', '由', '是'])
                .to_owned()
        })
        .filter(|cause| cause.chars().count() >= 2)
        .collect();
    // "The root cause was" stands before its verb as well, and is no cause.
    causes.retain(|cause| {
        let read = Carrier::of([cause.as_str()]);
        let says = |key: &Key| *key != Key::Concept(CAUSE);
        read.keys.iter().any(says) || !tokens(cause).is_empty()
    });
    causes
}

/// Whether what a claim calls the cause is what these texts, in which people state one, call it. Nothing is
/// said against a claim in another language than all of them, as far as its words go.
pub fn is_stated_cause(claim: &str, statements: &[&str]) -> bool {
    let whole = Carrier::of(statements.iter().copied());
    let names = Ground::of(statements.iter().copied());
    let causes: Vec<String> = statements
        .iter()
        .flat_map(|text| named_causes(text))
        .collect();
    let narrow = Carrier::of(causes.iter().map(String::as_str));
    let narrow_names = Ground::of(causes.iter().map(String::as_str));
    let mut named = named_causes(claim);
    if named.is_empty() {
        named.push(claim.to_owned());
    }
    named.iter().all(|cause| {
        let told = whole.support(cause).share() >= CARRIED_MIN && names.missing(cause).is_empty();
        // What was the effect there is not the cause here.
        let support = narrow.support(cause);
        let is_effect = !narrow.keys.is_empty()
            && narrow.speaks_as(cause)
            && support.all >= WORD
            && support.carried == 0
            && !tokens(cause).iter().any(|token| narrow_names.holds(token));
        told && !is_effect
    })
}
