//! Has a model read one chunk, and keeps of its answer what holds.
//!
//! What does not hold goes back to the model once, with the reasons; what then still does not hold is dropped
//! and counted. An answer that ran into its limit is not taken: the chunk is halved and each half is read.

use std::fmt::Write as _;

use futures::future::BoxFuture;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::{Event, Kind, check, reading};
use crate::{
    config::Language,
    llm::{ChatMessage, estimate_tokens},
    postmortem::{
        asking::Asker,
        chunks::{Chunk, Lines, Piece},
        draft::DraftError,
        transcript::Transcript,
    },
    prompt::{PostmortemChunk, PostmortemExtract, PostmortemRepair, Prompt, marks::Marks},
};

/// The version of the prompts and of what is made of their answers; part of every chunk's key.
pub const PROMPT_VERSION: u32 = 2;

/// How often a chunk is halved before its answer is given up.
const HALVINGS_MAX: u32 = 3;

/// What was found in one chunk.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChunkEvents {
    /// The events that hold.
    pub events: Vec<Event>,
    /// How many events were put right by the repair.
    pub repaired: usize,
    /// Why others were dropped, by the names of their faults.
    pub dropped: Vec<Vec<String>>,
    /// How many answers could not be read at all.
    pub unreadable: usize,
}

/// Where results of chunks are kept, so that an interrupted draft goes on where it was.
pub trait KeptChunks: Send + Sync {
    /// What was found in the chunk with this key.
    fn get<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Option<ChunkEvents>>;
    /// Keeps what was found.
    fn keep<'a>(&'a self, key: &'a str, found: &'a ChunkEvents) -> BoxFuture<'a, ()>;
}

/// Keeps nothing.
pub struct NothingKept;

impl KeptChunks for NothingKept {
    fn get<'a>(&'a self, _key: &'a str) -> BoxFuture<'a, Option<ChunkEvents>> {
        Box::pin(std::future::ready(None))
    }

    fn keep<'a>(&'a self, _key: &'a str, _found: &'a ChunkEvents) -> BoxFuture<'a, ()> {
        Box::pin(std::future::ready(()))
    }
}

/// The key of a chunk: the same lines, model, language and prompts give the same one.
pub fn key(chunk: &Chunk, lines: &Lines, model: &str, language: Language) -> String {
    let mut hasher = Sha256::new();
    for part in [
        &PROMPT_VERSION.to_string(),
        model,
        &format!("{language:?}"),
        PostmortemExtract::TEMPLATE,
        PostmortemRepair::TEMPLATE,
        &lines.text(&chunk.before),
        &lines.text(&chunk.pieces),
    ] {
        hasher.update((part.len() as u64).to_be_bytes());
        hasher.update(part);
    }
    let mut key = String::new();
    for byte in hasher.finalize() {
        let _ = write!(key, "{byte:02x}");
    }
    key
}

/// Reads chunks.
pub struct Extractor<'a> {
    /// Whom to ask.
    pub asker: &'a Asker,
    /// What is read.
    pub transcript: &'a Transcript,
    /// Its lines.
    pub lines: &'a Lines,
    /// The language of the events.
    pub language: Language,
}

impl Extractor<'_> {
    /// How large a chunk may be.
    pub fn chunk_tokens(&self) -> usize {
        let own = estimate_tokens(&self.system(&Marks::new()));
        // A longer chunk has more events than an answer has room for.
        self.asker.room(own).min(self.asker.answer_tokens() * 6)
    }

    /// Reads a chunk.
    pub async fn read(&self, chunk: &Chunk) -> Result<ChunkEvents, DraftError> {
        let mut found = ChunkEvents::default();
        // A stack and no recursion, because a future cannot hold itself.
        let mut waiting = vec![(chunk.before.clone(), chunk.pieces.clone(), HALVINGS_MAX)];
        while let Some((before, pieces, halvings)) = waiting.pop() {
            let is_whole = self
                .read_once(&before, &pieces, halvings == 0, &mut found)
                .await?;
            if !is_whole && pieces.len() > 1 {
                let (first, second) = pieces.split_at(pieces.len() / 2);
                let last = first.last().cloned().into_iter().collect();
                waiting.push((last, second.to_vec(), halvings - 1));
                waiting.push((before, first.to_vec(), halvings - 1));
            } else if !is_whole {
                found.unreadable += 1;
            }
        }
        Ok(found)
    }

    fn system(&self, marks: &Marks) -> String {
        let kinds: Vec<String> = Kind::ALL
            .iter()
            .filter_map(|kind| serde_json::to_string(kind).ok())
            .collect();
        let zone = self.transcript.time_zone.iana_name().unwrap_or("UTC");
        let extract = PostmortemExtract {
            nonce: marks.nonce(),
            time_zone: zone,
            kinds: &kinds.join(", "),
            language: match self.language {
                Language::En => "English",
                Language::Zh => "Chinese",
            },
        };
        extract.render()
    }

    /// Reads these lines; false where the answer was cut and nothing was taken of it.
    async fn read_once(
        &self,
        before: &[Piece],
        pieces: &[Piece],
        take_what_is_there: bool,
        found: &mut ChunkEvents,
    ) -> Result<bool, DraftError> {
        let marks = Marks::new();
        let before = (!before.is_empty()).then(|| marks.quote(&self.lines.text(before)));
        let ask = PostmortemChunk {
            before: before.as_deref(),
            lines: &marks.quote(&self.lines.text(pieces)),
        };
        let mut messages = vec![
            ChatMessage::System(self.system(&marks)),
            ChatMessage::User(ask.render()),
        ];
        let said = self.asker.ask(messages.clone()).await?;
        if said.is_cut && !take_what_is_there && pieces.len() > 1 {
            return Ok(false);
        }
        let Some(items) = reading::items(&said.text) else {
            if said.is_cut {
                found.unreadable += 1;
                return Ok(true);
            }
            return self.ask_again_for_json(messages, said.text, found).await;
        };
        let wrong = self.sort(&items, found);
        if wrong.is_empty() {
            return Ok(true);
        }
        let faults: Vec<String> = wrong
            .iter()
            .map(|(item, faults)| format!("{item}\nwrong: {}", faults.words.join("; ")))
            .collect();
        let repair = PostmortemRepair {
            faults: &marks.quote(&faults.join("\n\n")),
        };
        messages.push(assistant(said.text));
        messages.push(ChatMessage::User(repair.render()));
        let said = self.asker.ask(messages).await?;
        let before = found.events.len();
        let repaired = reading::items(&said.text).unwrap_or_default();
        let still_wrong = self.sort(&repaired, found);
        found.repaired += found.events.len() - before;
        // What the repair left out was dropped for its first faults, what it got wrong again for its last.
        let fixed = found.events.len() - before;
        let silent = wrong.len().saturating_sub(fixed + still_wrong.len());
        found.dropped.extend(
            wrong
                .into_iter()
                .take(silent)
                .map(|(_, faults)| faults.names),
        );
        found
            .dropped
            .extend(still_wrong.into_iter().map(|(_, faults)| faults.names));
        Ok(true)
    }

    /// An answer without any JSON is asked for once more.
    async fn ask_again_for_json(
        &self,
        mut messages: Vec<ChatMessage>,
        answer: String,
        found: &mut ChunkEvents,
    ) -> Result<bool, DraftError> {
        messages.push(assistant(answer));
        let faults = "The whole answer: it is not JSON of the form {\"events\": [ ... ]}.";
        messages.push(ChatMessage::User(PostmortemRepair { faults }.render()));
        let said = self.asker.ask(messages).await?;
        match reading::items(&said.text) {
            Some(items) => {
                let wrong = self.sort(&items, found);
                found
                    .dropped
                    .extend(wrong.into_iter().map(|(_, faults)| faults.names));
            }
            None => found.unreadable += 1,
        }
        Ok(true)
    }

    /// Takes the items that hold, and gives back the others.
    fn sort(&self, items: &[Value], found: &mut ChunkEvents) -> Vec<(Value, Faults)> {
        let mut wrong = Vec::new();
        for item in items {
            match reading::propose(item) {
                Err(word) => wrong.push((
                    item.clone(),
                    Faults {
                        names: vec!["schema".into()],
                        words: vec![word],
                    },
                )),
                Ok(proposed) => {
                    let event = proposed.resolve(self.transcript);
                    let faults = check(&event, self.transcript);
                    if faults.is_empty() {
                        found.events.push(event);
                        continue;
                    }
                    let names = faults.iter().map(|fault| fault.name().to_owned()).collect();
                    let words = faults.iter().map(ToString::to_string).collect();
                    wrong.push((item.clone(), Faults { names, words }));
                }
            }
        }
        wrong
    }
}

/// What is wrong with an item, for counting and for the model.
struct Faults {
    names: Vec<String>,
    words: Vec<String>,
}

fn assistant(text: String) -> ChatMessage {
    ChatMessage::Assistant {
        text,
        reasoning: String::new(),
        tool_calls: Vec::new(),
    }
}
