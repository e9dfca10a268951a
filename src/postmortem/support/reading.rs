//! Takes a text apart: clauses, and in each of them what is told and what is denied.

use super::concepts::{CAUSE, HAN_MAX, LEXICON, Meaning, RULED_OUT};

/// What a word is looked up by.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Key {
    /// A word of the table.
    Concept(usize),
    /// The stem of another English word.
    Word(String),
    /// Two Chinese characters that stand together.
    Pair(char, char),
}

/// A word that says something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Term {
    pub(super) key: Key,
    /// As it stands in the text.
    pub(super) surface: String,
    pub(super) is_denied: bool,
}

/// A thought of a sentence.
#[derive(Debug, Default)]
pub(super) struct Clause {
    pub(super) terms: Vec<Term>,
    /// Chinese characters that are no words of the table, as they stand together.
    pub(super) runs: Vec<Vec<char>>,
    /// Numbers, each with what it counts.
    pub(super) counted: Vec<(String, Key)>,
    /// Whether it leaves open if it is so.
    pub(super) is_unsure: bool,
    is_denying: bool,
    is_denied: bool,
    waiting: Option<String>,
}

impl Clause {
    fn is_empty(&self) -> bool {
        self.terms.is_empty() && self.runs.is_empty() && !self.is_unsure && !self.is_denied
    }

    fn push(&mut self, key: Key, surface: &str) {
        if let Some(number) = self.waiting.take() {
            self.counted.push((number, key.clone()));
        }
        self.terms.push(Term {
            key,
            surface: surface.to_owned(),
            is_denied: self.is_denying,
        });
    }

    /// What was ruled out as a cause is denied as one, whichever stands first.
    fn close(&mut self) {
        if self.is_denied {
            self.terms.iter_mut().for_each(|term| term.is_denied = true);
        }
        let rules_out = |term: &Term| term.key == Key::Concept(RULED_OUT) && !term.is_denied;
        if self.terms.iter().any(rules_out) {
            let causes = self.terms.iter_mut();
            causes
                .filter(|term| term.key == Key::Concept(CAUSE))
                .for_each(|term| term.is_denied = true);
        }
    }
}

enum Piece {
    Word(String),
    Number(String),
    Han(Vec<char>),
    Break,
    Asked,
}

/// Characters that hold Chinese words together and say nothing.
const GRAMMAR: &str = "的了是在和也就都还这那我你他她它们吧呢吗与及把被对从到向将并已会个些该此各由即则又再很于所为以让给有";
/// What stands between a number and what it counts.
const MEASURES: &str = "笔个名位条次台家单万千百多";

/// The clauses of a text.
pub(super) fn clauses(text: &str) -> Vec<Clause> {
    let mut clauses = vec![Clause::default()];
    let pieces = pieces(text);
    let mut at = 0;
    while at < pieces.len() {
        let clause = clauses.last_mut().expect("there is always a last one");
        match &pieces[at] {
            Piece::Number(number) => clause.waiting = Some(number.clone()),
            Piece::Asked => clause.is_unsure = true,
            Piece::Break if clause.is_empty() => clause.is_denying = false,
            Piece::Break => clauses.push(Clause::default()),
            Piece::Han(run) => han(run, &mut clauses),
            Piece::Word(_) => {
                at += english(&pieces[at..], &mut clauses);
                continue;
            }
        }
        at += 1;
    }
    clauses.iter_mut().for_each(Clause::close);
    clauses
}

/// Reads one form of the table or one word, and says how many pieces it took.
fn english(pieces: &[Piece], clauses: &mut Vec<Clause>) -> usize {
    let words: Vec<&str> = pieces
        .iter()
        .take(4)
        .map_while(|piece| match piece {
            Piece::Word(word) => Some(word.as_str()),
            _ => None,
        })
        .collect();
    let stems: Vec<String> = words.iter().map(|word| stem(word)).collect();
    let known = (1..=stems.len()).rev().find_map(|count| {
        let meaning = LEXICON.english.get(&stems[..count].join(" "))?;
        Some((*meaning, count))
    });
    let (meaning, count) = match known {
        Some((meaning, count)) => (Some(meaning), count),
        None => (None, 1),
    };
    let surface = words[..count].join(" ");
    match meaning {
        Some(meaning) => apply(meaning, &surface, clauses),
        None if words[0].ends_with("n't") => apply(Meaning::Negation, &surface, clauses),
        None if stems[0].len() >= 3 => {
            let key = Key::Word(stems[0].clone());
            let clause = clauses.last_mut().expect("there is always a last one");
            clause.push(key, &surface);
        }
        None => {}
    }
    count
}

fn han(run: &[char], clauses: &mut Vec<Clause>) {
    let mut at = 0;
    let mut loose: Vec<char> = Vec::new();
    while at < run.len() {
        let longest = (1..=HAN_MAX.min(run.len() - at)).rev().find_map(|count| {
            let meaning = LEXICON.han.get(&run[at..at + count])?;
            Some((*meaning, count))
        });
        let clause = clauses.last_mut().expect("there is always a last one");
        let is_measure = clause.waiting.is_some() && loose.is_empty() && MEASURES.contains(run[at]);
        match longest {
            _ if is_measure => at += 1,
            Some((meaning, count)) => {
                settle(&mut loose, clause);
                let surface: String = run[at..at + count].iter().collect();
                apply(meaning, &surface, clauses);
                at += count;
            }
            None if GRAMMAR.contains(run[at]) => {
                settle(&mut loose, clause);
                at += 1;
            }
            None => {
                loose.push(run[at]);
                at += 1;
            }
        }
    }
    settle(
        &mut loose,
        clauses.last_mut().expect("there is always a last one"),
    );
}

/// Puts what was gathered into the clause. A single character is no word.
fn settle(loose: &mut Vec<char>, clause: &mut Clause) {
    if let [first, second, ..] = loose.as_slice() {
        if let Some(number) = clause.waiting.take() {
            clause.counted.push((number, Key::Pair(*first, *second)));
        }
        clause.runs.push(std::mem::take(loose));
    }
    loose.clear();
}

fn apply(meaning: Meaning, surface: &str, clauses: &mut Vec<Clause>) {
    let clause = clauses.last_mut().expect("there is always a last one");
    match meaning {
        Meaning::Concept(concept) => clause.push(Key::Concept(concept), surface),
        Meaning::Stop => {}
        Meaning::Negation => clause.is_denying = true,
        Meaning::Denial => clause.is_denied = true,
        Meaning::Unsure => clause.is_unsure = true,
        Meaning::Boundary if clause.is_empty() => clause.is_denying = false,
        Meaning::Boundary => clauses.push(Clause::default()),
    }
}

fn pieces(text: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let lower = text.to_lowercase().replace('’', "'");
    let characters: Vec<char> = lower.chars().collect();
    let is_han = |c: char| ('\u{4e00}'..='\u{9fff}').contains(&c);
    let mut at = 0;
    while at < characters.len() {
        let c = characters[at];
        let from = at;
        if c.is_ascii_alphanumeric() {
            at += 1;
            while at < characters.len() && goes_on(&characters, at) {
                at += 1;
            }
            let word: String = characters[from..at].iter().collect();
            let is_number = word.chars().all(|c| !c.is_ascii_alphabetic());
            pieces.push(match is_number {
                true => Piece::Number(word.replace(',', "")),
                false => Piece::Word(word.trim_end_matches("'s").to_owned()),
            });
        } else if is_han(c) {
            while at < characters.len() && is_han(characters[at]) {
                at += 1;
            }
            pieces.push(Piece::Han(characters[from..at].to_vec()));
        } else {
            match c {
                '?' | '？' => pieces.extend([Piece::Asked, Piece::Break]),
                '.' | ',' | ';' | ':' | '!' | '\n' | '(' | ')' | '。' | '，' | '；' | '：'
                | '！' | '（' | '）' => pieces.push(Piece::Break),
                _ => {}
            }
            at += 1;
        }
    }
    pieces
}

/// Whether the word goes on: `didn't`, `1,200`, `1.8.2`.
fn goes_on(characters: &[char], at: usize) -> bool {
    let is_digit = |place: Option<usize>| {
        place
            .and_then(|place| characters.get(place))
            .is_some_and(char::is_ascii_digit)
    };
    match characters[at] {
        c if c.is_ascii_alphanumeric() => true,
        '\'' => characters
            .get(at + 1)
            .is_some_and(char::is_ascii_alphabetic),
        ',' | '.' => is_digit(at.checked_sub(1)) && is_digit(Some(at + 1)),
        _ => false,
    }
}

/// The beginning of a word without its ending, so that forms of one word are one: `exhausted`, `exhaustion`.
pub(super) fn stem(word: &str) -> String {
    let mut stem = word.to_lowercase();
    let endings = [
        ("ings", ""),
        ("ing", ""),
        ("ments", ""),
        ("ment", ""),
        ("ions", ""),
        ("ion", ""),
        ("ied", "i"),
        ("ies", "i"),
        ("ed", ""),
        ("ly", ""),
        ("es", ""),
        ("s", ""),
        ("e", ""),
    ];
    let ending = endings.iter().find(|(ending, _)| {
        stem.len() >= ending.len() + 3 && stem.ends_with(ending) && !stem.ends_with("ss")
    });
    if let Some((ending, instead)) = ending {
        stem.truncate(stem.len() - ending.len());
        stem.push_str(instead);
    }
    let letters = stem.as_bytes();
    if let [.., before, last] = letters
        && before == last
        && !matches!(last, b'l' | b's' | b'z')
        && letters.len() > 3
    {
        stem.pop();
    }
    if stem.len() > 3 && stem.ends_with('y') {
        stem.pop();
        stem.push('i');
    }
    stem.truncate(6);
    stem
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_of_one_word_have_one_stem() {
        for (one, other) in [
            ("exhausted", "exhaustion"),
            ("migrated", "migration"),
            ("dropped", "dropping"),
            ("verified", "verify"),
            ("releases", "released"),
            ("deployment", "deploys"),
            ("replicas", "replication"),
        ] {
            assert_eq!(stem(one), stem(other), "{one} {other}");
        }
        assert_ne!(stem("server"), stem("service"));
    }

    #[test]
    fn clauses_tell_and_deny() {
        let denied = |text: &str| -> Vec<String> {
            let terms = clauses(text).into_iter().flat_map(|clause| clause.terms);
            terms
                .filter(|term| term.is_denied)
                .map(|term| term.surface)
                .collect()
        };
        assert_eq!(
            denied("orders failed, customers were not affected"),
            ["affected"]
        );
        assert_eq!(denied("didn't roll back but restarted"), ["roll back"]);
        assert_eq!(denied("Redis was ruled out as the cause"), ["cause"]);
        assert_eq!(denied("用户未受影响，错误率下降"), ["影响"]);
        assert_eq!(denied("we lost no data"), ["lost", "data"]);
        assert_eq!(denied("不断重启，不久恢复"), Vec::<String>::new());
    }
}
