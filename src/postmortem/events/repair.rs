//! Has a model put right the events that do not hold.
//!
//! A repair does not show again what was read, but only the faulty events, the lines that they cite and a few
//! beside these. It is bounded by a part of what was read, so that reading and repairing a room together cost
//! little more than reading it once.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{
    check,
    extract::{ChunkEvents, Extractor},
    reading,
};
use crate::{
    llm::{ChatMessage, estimate_tokens},
    postmortem::{asking::Purpose, draft::DraftError},
    prompt::{PostmortemAsJson, PostmortemMend, PostmortemRepair, Prompt, marks::Marks},
};

/// What a repair may show, as a part of what was read; and at least so many tokens, since a small room is
/// cheap anyhow.
const SHOWN_PART: usize = 10;
const SHOWN_TOKENS_MIN: usize = 500;

/// An item that does not hold.
pub(super) struct Wrong {
    item: Value,
    /// The names of its faults, for counting.
    names: Vec<String>,
    /// The same in words, for the model.
    words: Vec<String>,
}

impl Wrong {
    fn shown(&self) -> String {
        format!("{}\nwrong: {}", self.item, self.words.join("; "))
    }
}

/// What is shown in one repair.
#[derive(Default)]
struct Shown {
    wrong: Vec<Wrong>,
    places: BTreeSet<usize>,
    tokens: usize,
}

impl Extractor<'_> {
    /// Takes the items that hold, and gives back the others.
    pub(super) fn sort(&self, items: &[Value], found: &mut ChunkEvents) -> Vec<Wrong> {
        let mut wrong = Vec::new();
        for item in items {
            let (names, words) = match reading::propose(item) {
                Err(word) => (vec!["schema".into()], vec![word]),
                Ok(proposed) => {
                    let event = proposed.resolve(self.transcript);
                    let faults = check(&event, self.transcript);
                    if faults.is_empty() {
                        found.events.push(event);
                        continue;
                    }
                    let names = faults.iter().map(|fault| fault.name().to_owned());
                    let words = faults.iter().map(ToString::to_string);
                    (names.collect(), words.collect())
                }
            };
            wrong.push(Wrong {
                item: item.clone(),
                names,
                words,
            });
        }
        wrong
    }

    /// Asks once for what is wrong in what was read of so many tokens. What does not hold then is dropped.
    pub(super) async fn repair(
        &self,
        wrong: Vec<Wrong>,
        read_tokens: usize,
        found: &mut ChunkEvents,
    ) -> Result<(), DraftError> {
        let (shown, untold) = self.shown(wrong, self.shown_tokens(read_tokens));
        drop_all(untold, found);
        if shown.wrong.is_empty() {
            return Ok(());
        }
        let items = match self
            .asker
            .ask(Purpose::Reading, self.repair_request(&shown))
            .await
        {
            Ok(said) => {
                reading::items(&said.text).unwrap_or_else(|| reading::whole_items(&said.text))
            }
            // What held in the first answer is paid for, and stays.
            Err(DraftError::Model(error)) => {
                tracing::warn!(%error, "events that do not hold are dropped without a repair");
                Vec::new()
            }
            Err(DraftError::Cancelled) => return Err(DraftError::Cancelled),
        };
        let before = found.events.len();
        let still_wrong = self.sort(&items, found);
        let fixed = found.events.len() - before;
        found.repaired += fixed;
        // What the repair left out was dropped for its first faults, what it got wrong again for its last.
        let silent = shown.wrong.len().saturating_sub(fixed + still_wrong.len());
        drop_all(shown.wrong.into_iter().take(silent), found);
        drop_all(still_wrong, found);
        Ok(())
    }

    /// Asks for the items of an answer that is no JSON. Only the answer is shown: it says what was read.
    pub(super) async fn as_json(
        &self,
        answer: &str,
        read_tokens: usize,
    ) -> Result<Vec<Value>, DraftError> {
        let marks = Marks::new();
        // A character is at most a token, so that many always fit.
        let fits: String = answer
            .chars()
            .take(self.shown_tokens(read_tokens))
            .collect();
        let ask = PostmortemAsJson {
            answer: &marks.quote(&fits),
        };
        let messages = vec![
            ChatMessage::System(self.system(&marks)),
            ChatMessage::User(ask.render()),
        ];
        let said = self.asker.ask(Purpose::Reading, messages).await?;
        Ok(reading::items(&said.text).unwrap_or_else(|| reading::whole_items(&said.text)))
    }

    /// How many tokens a repair may show.
    fn shown_tokens(&self, read_tokens: usize) -> usize {
        let part = (read_tokens / SHOWN_PART).max(SHOWN_TOKENS_MIN);
        let own = estimate_tokens(&self.system(&Marks::new()));
        part.min(self.asker.room_once(own))
    }

    /// As many of the items as fit with their lines, and those that do not.
    fn shown(&self, wrong: Vec<Wrong>, tokens_max: usize) -> (Shown, Vec<Wrong>) {
        let mut shown = Shown::default();
        let mut untold = Vec::new();
        for wrong in wrong {
            let cited: BTreeSet<usize> = reading::cited(&wrong.item, self.transcript)
                .into_iter()
                .collect();
            let own = estimate_tokens(&wrong.shown()) + 2;
            let fitting = [self.with_neighbours(&cited), cited]
                .into_iter()
                .map(|places| (self.tokens_of(places.difference(&shown.places)), places))
                .find(|(tokens, _)| shown.tokens + own + tokens <= tokens_max);
            match fitting {
                Some((tokens, places)) => {
                    shown.tokens += own + tokens;
                    shown.places.extend(places);
                    shown.wrong.push(wrong);
                }
                None => untold.push(wrong),
            }
        }
        (shown, untold)
    }

    /// These places, the lines before and after them, and what they answer.
    fn with_neighbours(&self, cited: &BTreeSet<usize>) -> BTreeSet<usize> {
        let mut places = cited.clone();
        for place in cited {
            let last = self.transcript.messages.len() - 1;
            places.extend(place.saturating_sub(1)..=last.min(place + 1));
            let message = &self.transcript.messages[*place];
            let answered = message.thread.iter().chain(&message.parent);
            places.extend(answered.filter_map(|id| self.transcript.place(id)));
        }
        places
    }

    /// Tokens of the lines at these places.
    pub(super) fn tokens_of<'p>(&self, places: impl Iterator<Item = &'p usize>) -> usize {
        places.map(|place| self.lines.tokens(*place) + 1).sum()
    }

    fn repair_request(&self, shown: &Shown) -> Vec<ChatMessage> {
        let marks = Marks::new();
        let mend = PostmortemMend {
            nonce: marks.nonce(),
            time_zone: self.zone(),
            kinds: &super::extract::kinds(),
            language: self.language_word(),
        };
        let pieces: Vec<_> = shown
            .places
            .iter()
            .map(|place| self.lines.whole(*place))
            .collect();
        let lines = (!pieces.is_empty()).then(|| marks.quote(&self.lines.text(&pieces)));
        let faults: Vec<String> = shown.wrong.iter().map(Wrong::shown).collect();
        let repair = PostmortemRepair {
            lines: lines.as_deref(),
            faults: &marks.quote(&faults.join("\n\n")),
        };
        vec![
            ChatMessage::System(mend.render()),
            ChatMessage::User(repair.render()),
        ]
    }
}

/// Counts items that are given up.
pub(super) fn drop_all(wrong: impl IntoIterator<Item = Wrong>, found: &mut ChunkEvents) {
    let names = wrong.into_iter().map(|wrong| wrong.names);
    found.dropped.extend(names);
}
