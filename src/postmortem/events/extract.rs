//! Has a model read one chunk, and keeps of its answer what holds.
//!
//! What does not hold goes back to the model once, with the reasons; what then still does not hold is dropped
//! and counted. An answer that ran into its limit is never taken for the whole: reading goes on after its last
//! whole event, or in halves where it is in no order. What no model could read is read by its phrases.

use std::{collections::HashMap, fmt::Write as _, ops::Range};

use futures::future::BoxFuture;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::{Event, Kind, reading, repair::drop_all};
use crate::{
    config::Language,
    llm::{ChatMessage, estimate_tokens},
    postmortem::{
        asking::{Asker, Purpose},
        chunks::{Chunk, Lines, Piece},
        draft::DraftError,
        phrases,
        transcript::Transcript,
    },
    prompt::{
        PostmortemChunk, PostmortemExtract, PostmortemMend, PostmortemRepair, Prompt, marks::Marks,
    },
};

/// The version of the prompts and of what is made of their answers; part of every chunk's key.
pub const PROMPT_VERSION: u32 = 2;

/// How often reading may go on after an answer that was cut; a halving counts twice.
const CUTS_MAX: u32 = 6;

/// How many whole events a cut answer needs to show that it keeps to the order of the lines.
const IN_ORDER_MIN: usize = 8;

/// How much longer a chunk may be than an answer: lines for which one is rarely cut.
const LINES_BY_ANSWER: usize = 4;

/// What was found in one chunk.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChunkEvents {
    /// The events that hold.
    pub events: Vec<Event>,
    /// How many events were put right by the repair.
    pub repaired: usize,
    /// Why others were dropped, by the names of their faults.
    pub dropped: Vec<Vec<String>>,
    /// How many parts were read by their phrases, because no answer for them could be read.
    pub unreadable: usize,
    /// How many were because the model was away. They are worth asking for once more.
    #[serde(default)]
    pub without_model: usize,
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
pub fn key(chunk: &Chunk, lines: &Lines<'_>, model: &str, language: Language) -> String {
    let mut hasher = Sha256::new();
    for part in [
        &PROMPT_VERSION.to_string(),
        model,
        &format!("{language:?}"),
        PostmortemExtract::TEMPLATE,
        PostmortemRepair::TEMPLATE,
        PostmortemMend::TEMPLATE,
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
    pub lines: &'a Lines<'a>,
    /// The language of the events.
    pub language: Language,
}

/// Lines that are read at once.
struct Part {
    before: Vec<Piece>,
    pieces: Vec<Piece>,
    cuts_left: u32,
}

impl Extractor<'_> {
    /// How large a chunk may be.
    pub fn chunk_tokens(&self) -> usize {
        let own = estimate_tokens(&self.system(&Marks::new()));
        // A longer chunk has more events than an answer has room for.
        let by_answer = self.asker.answer_tokens() * LINES_BY_ANSWER;
        self.asker.room_once(own).min(by_answer)
    }

    /// Reads a chunk. The only error is that it was cancelled.
    pub async fn read(&self, chunk: &Chunk) -> Result<ChunkEvents, DraftError> {
        let mut found = ChunkEvents::default();
        // A stack and no recursion, because a future cannot hold itself.
        let mut waiting = vec![Part {
            before: chunk.before.clone(),
            pieces: chunk.pieces.clone(),
            cuts_left: CUTS_MAX,
        }];
        while let Some(part) = waiting.pop() {
            match self.read_once(&part, &mut found).await {
                Ok(rest) => waiting.extend(rest.into_iter().rev()),
                Err(DraftError::Model(error)) => {
                    tracing::warn!(%error, "a part of a transcript is read without the model");
                    found.without_model += 1;
                    self.read_by_phrases(&part, &mut found);
                }
                Err(DraftError::Cancelled) => return Err(DraftError::Cancelled),
            }
        }
        Ok(found)
    }

    fn read_by_phrases(&self, part: &Part, found: &mut ChunkEvents) {
        // Of a message that is longer than a chunk, the first piece stands for all of it.
        let places = part.pieces.iter().filter(|piece| piece.range.start == 0);
        let messages = places.map(|piece| &self.transcript.messages[piece.place]);
        let events = messages.flat_map(|message| phrases::extract(message, self.transcript));
        found.events.extend(events);
    }

    pub(super) fn system(&self, marks: &Marks) -> String {
        let extract = PostmortemExtract {
            nonce: marks.nonce(),
            time_zone: self.zone(),
            kinds: &kinds(),
            language: self.language_word(),
        };
        extract.render()
    }

    pub(super) fn zone(&self) -> &str {
        self.transcript.time_zone.iana_name().unwrap_or("UTC")
    }

    pub(super) fn language_word(&self) -> &'static str {
        match self.language {
            Language::En => "English",
            Language::Zh => "Chinese",
        }
    }

    /// Reads these lines, and gives back those that are to be read again.
    async fn read_once(
        &self,
        part: &Part,
        found: &mut ChunkEvents,
    ) -> Result<Vec<Part>, DraftError> {
        let messages = self.request(part);
        let said = self.asker.ask(Purpose::Reading, messages).await?;
        let read_tokens = self.tokens_of(part.pieces.iter().map(|piece| &piece.place));
        if said.is_cut {
            let (items, rest) = self.after_cut(part, reading::whole_items(&said.text));
            if items.is_empty() && rest.is_empty() {
                found.unreadable += 1;
                self.read_by_phrases(part, found);
            }
            let wrong = self.sort(&items, found);
            self.repair(wrong, read_tokens, found).await?;
            return Ok(rest);
        }
        if let Some(items) = reading::items(&said.text) {
            let wrong = self.sort(&items, found);
            self.repair(wrong, read_tokens, found).await?;
            return Ok(Vec::new());
        }
        let items = self.as_json(&said.text, read_tokens).await?;
        if items.is_empty() {
            found.unreadable += 1;
            self.read_by_phrases(part, found);
        }
        // One repair is enough.
        drop_all(self.sort(&items, found), found);
        Ok(Vec::new())
    }

    fn request(&self, part: &Part) -> Vec<ChatMessage> {
        let marks = Marks::new();
        let before = (!part.before.is_empty()).then(|| marks.quote(&self.lines.text(&part.before)));
        let ask = PostmortemChunk {
            before: before.as_deref(),
            lines: &marks.quote(&self.lines.text(&part.pieces)),
        };
        vec![
            ChatMessage::System(self.system(&marks)),
            ChatMessage::User(ask.render()),
        ]
    }

    /// What is taken of an answer that was cut, and what is read once more.
    fn after_cut(&self, part: &Part, items: Vec<Value>) -> (Vec<Value>, Vec<Part>) {
        match self.reached(part, &items) {
            Some(at) if part.cuts_left >= 1 => {
                let rest = part.sub(at..part.pieces.len(), 1);
                (items, vec![rest])
            }
            _ if part.cuts_left >= 2 && part.pieces.len() > 1 => {
                let middle = part.pieces.len() / 2;
                let halves = [
                    part.sub(0..middle, 2),
                    part.sub(middle..part.pieces.len(), 2),
                ];
                (Vec::new(), halves.into())
            }
            _ => (items, Vec::new()),
        }
    }

    /// How far an answer came that lists its events in the order of the lines: the piece of its last whole
    /// event, of which more may be to say.
    fn reached(&self, part: &Part, items: &[Value]) -> Option<usize> {
        if items.len() < IN_ORDER_MIN {
            return None;
        }
        let at: HashMap<usize, usize> = part
            .pieces
            .iter()
            .enumerate()
            .map(|(at, piece)| (piece.place, at))
            .collect();
        let first = |item: &Value| {
            let cited = reading::cited(item, self.transcript);
            cited
                .iter()
                .filter_map(|place| at.get(place))
                .min()
                .copied()
        };
        let firsts: Vec<usize> = items.iter().filter_map(first).collect();
        let last = firsts.last().copied().filter(|last| *last > 0);
        last.filter(|_| firsts.is_sorted())
    }
}

impl Part {
    /// Some of its pieces, with the one before them to understand them by.
    fn sub(&self, range: Range<usize>, cuts: u32) -> Self {
        let before = match range.start {
            0 => self.before.clone(),
            start => vec![self.pieces[start - 1].clone()],
        };
        Self {
            before,
            pieces: self.pieces[range].to_vec(),
            cuts_left: self.cuts_left - cuts,
        }
    }
}

/// The words that a kind may be.
pub(super) fn kinds() -> String {
    let kinds = Kind::ALL.iter();
    let words: Vec<String> = kinds
        .filter_map(|kind| serde_json::to_string(kind).ok())
        .collect();
    words.join(", ")
}
