//! From a frozen room and records to a checked draft: every step in its order.
//!
//! Nothing is fetched or sent but the model's requests. Progress is told as it is made, results of chunks are
//! kept as soon as they are there, and a cancelled draft ends at once: between any two stages too, since those
//! of a large room take their time.

use std::time::Duration;

use futures::{StreamExt, TryStreamExt, stream};
use serde::Serialize;
use tokio::task::yield_now;
use tokio_util::sync::CancellationToken;

use super::{
    asking::{Asker, Cost},
    check::{Report, Sources, Subject, resolve},
    chunks::{Budget, Chunks, Lines, split},
    events::{ChunkEvents, Extractor, KeptChunks, key},
    facts::Facts,
    merge::{Merged, merge},
    phrases,
    records::Records,
    transcript::Transcript,
    write::{
        Author, Content, Document, Made, Material, ModelWriter, Section, Template, about,
        completed, key_facts, neutral, plain, render,
    },
};
use crate::{
    config::Language,
    llm::{self, Model},
};

/// Why there is no draft.
#[derive(Debug, thiserror::Error)]
pub enum DraftError {
    /// Somebody cancelled it.
    #[error("the draft was cancelled")]
    Cancelled,
    /// The model could not be asked. A draft without a model can be made.
    #[error(transparent)]
    Model(#[from] llm::Error),
}

/// What is asked for.
pub struct Order<'a> {
    /// The room.
    pub transcript: &'a Transcript,
    /// The records.
    pub records: &'a Records,
    /// The template.
    pub template: &'a Template,
    /// The language of the report.
    pub language: Language,
    /// The model; none: the draft is made without one.
    pub model: Option<&'a Model>,
    /// How many requests may be under way at once.
    pub parallel: usize,
    /// How many tokens of the transcript may be read; none: all.
    pub tokens_max: Option<usize>,
    /// Hosts that may be linked to.
    pub hosts: &'a [String],
    /// Sections of the last version that people wrote or locked; they stand in this one as they are.
    pub human: &'a [Section],
    /// Only this section is to be written anew, by its heading; the others are taken from `last`.
    pub only: Option<Only<'a>>,
    /// How long a model that is away is waited for.
    pub patience: Duration,
    /// Ends the draft.
    pub cancel: CancellationToken,
}

/// One section to write anew.
pub struct Only<'a> {
    /// Its heading.
    pub heading: &'a str,
    /// What is to be heeded.
    pub remark: Option<&'a str>,
    /// The version that the other sections are taken from.
    pub last: &'a Document,
}

/// How far a draft is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// Facts are computed, and so many messages are there.
    Facts {
        /// How many messages there are.
        messages: usize,
    },
    /// So many chunks are read.
    Reading {
        /// How many are read.
        done: usize,
        /// How many there are.
        of: usize,
    },
    /// So many sections are written.
    Writing {
        /// How many are written.
        done: usize,
        /// How many there are.
        of: usize,
    },
    /// The checks run.
    Checking,
}

/// A draft.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    /// As people read it.
    pub markdown: String,
    /// As it can be edited, section by section.
    pub document: Document,
    /// What it was written from.
    pub events: EventsFile,
    /// What the checks found.
    pub checks: Report,
    /// What it cost.
    pub cost: Cost,
}

/// What `events.json` holds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct EventsFile {
    /// The transcript that was read.
    pub transcript: String,
    /// What code computed.
    pub facts: Facts,
    /// What was read out of the room.
    #[serde(flatten)]
    pub merged: Merged,
    /// Why proposed events were dropped, by the names of their faults.
    pub dropped: Vec<Vec<String>>,
    /// How many events were put right by a repair.
    pub repaired: usize,
    /// Messages that nobody read because of the cost, by their short names.
    pub left_out: Vec<String>,
}

/// Makes a draft.
pub async fn draft(
    order: &Order<'_>,
    kept: &dyn KeptChunks,
    progress: &(dyn Fn(Progress) + Sync),
) -> Result<Draft, DraftError> {
    let transcript = order.transcript;
    let stage = || order.go_on();
    stage().await?;
    let facts = Facts::compute(transcript, order.records);
    progress(Progress::Facts {
        messages: transcript.messages.len(),
    });
    stage().await?;
    let asker = order
        .model
        .map(|model| Asker::new(model, order.patience, order.cancel.clone()));
    let read = match &asker {
        Some(asker) => read_with_model(order, &facts, asker, kept, progress).await?,
        None => read_by_phrases(order).await?,
    };
    stage().await?;
    let made = Made {
        model: asker.as_ref().map(|asker| asker.model_name().to_owned()),
        chunks_without_model: read.found.without_model + read.found.unreadable,
        dropped: read.found.dropped.len(),
        left_out: read.left_out.len(),
    };
    let merged = merge(read.found.events, transcript);
    stage().await?;
    let material = Material {
        transcript,
        records: order.records,
        facts: &facts,
        merged: &merged,
        language: order.language,
    };
    let sources = match &asker {
        Some(_) => Sources::new(&material),
        None => Sources::of_phrases(&material),
    };
    let document = write(order, &material, &sources, asker.as_ref(), &made, progress).await?;
    progress(Progress::Checking);
    stage().await?;
    let subject = Subject {
        material: &material,
        sources: &sources,
        document: &document,
        template: order.template,
        hosts: order.hosts,
        human: order.human,
    };
    let (document, checks) = resolve(&subject);
    let mut cost = asker.as_ref().map(Asker::cost).unwrap_or_default();
    cost.transcript_tokens = read.transcript_tokens as u64;
    Ok(Draft {
        markdown: render(&document, transcript, order.records, order.language),
        document,
        checks,
        cost,
        events: EventsFile {
            transcript: transcript.hash.clone(),
            dropped: read.found.dropped,
            repaired: read.found.repaired,
            left_out: read.left_out,
            facts,
            merged,
        },
    })
}

/// What was read out of a room.
#[derive(Default)]
struct Read {
    found: ChunkEvents,
    left_out: Vec<String>,
    transcript_tokens: usize,
}

/// How many messages are read between two looks at whether the draft is cancelled.
const STRETCH: usize = 1000;

async fn read_by_phrases(order: &Order<'_>) -> Result<Read, DraftError> {
    let mut read = Read::default();
    for stretch in order.transcript.messages.chunks(STRETCH) {
        order.go_on().await?;
        let said = |message| phrases::extract(message, order.transcript);
        read.found.events.extend(stretch.iter().flat_map(said));
    }
    Ok(read)
}

async fn read_with_model(
    order: &Order<'_>,
    facts: &Facts,
    asker: &Asker,
    kept: &dyn KeptChunks,
    progress: &(dyn Fn(Progress) + Sync),
) -> Result<Read, DraftError> {
    let transcript = order.transcript;
    let lines = Lines::new(transcript, &facts.alerts);
    let extractor = Extractor {
        asker,
        transcript,
        lines: &lines,
        language: order.language,
    };
    let budget = Budget {
        chunk_tokens: extractor.chunk_tokens(),
        all_tokens: order.tokens_max,
    };
    let Chunks {
        chunks,
        left_out,
        transcript_tokens,
    } = split(transcript, &lines, budget);
    let (of, mut done) = (chunks.len(), 0);
    progress(Progress::Reading { done, of });
    let reading = chunks.iter().map(|chunk| async {
        let key = key(chunk, &lines, asker.model_name(), order.language);
        if let Some(found) = kept.get(&key).await {
            return Ok(found);
        }
        let found = extractor.read(chunk).await?;
        // What the model was away for is asked for once more by the next draft.
        if found.without_model == 0 {
            kept.keep(&key, &found).await;
        }
        Ok::<_, DraftError>(found)
    });
    // In the order of the chunks, whichever answer comes first, so that the draft is the same each time.
    let mut results = stream::iter(reading.collect::<Vec<_>>()).buffered(order.parallel.max(1));
    let mut read = Read {
        transcript_tokens,
        ..Read::default()
    };
    while let Some(found) = results.try_next().await? {
        read.found.events.extend(found.events);
        read.found.dropped.extend(found.dropped);
        read.found.repaired += found.repaired;
        read.found.unreadable += found.unreadable;
        read.found.without_model += found.without_model;
        done += 1;
        progress(Progress::Reading { done, of });
    }
    read.left_out = left_out
        .into_iter()
        .filter_map(|place| transcript.alias_at(place))
        .collect();
    Ok(read)
}

async fn write(
    order: &Order<'_>,
    material: &Material<'_>,
    sources: &Sources<'_>,
    asker: Option<&Asker>,
    made: &Made,
    progress: &(dyn Fn(Progress) + Sync),
) -> Result<Document, DraftError> {
    let of = order.template.sections.len();
    let mut sections = vec![key_facts(material)];
    progress(Progress::Writing { done: 0, of });
    let writing = order
        .template
        .sections
        .iter()
        .map(|template| section(order, template, material, sources, asker));
    let mut written = stream::iter(writing.collect::<Vec<_>>()).buffered(order.parallel.max(1));
    while let Some(section) = written.try_next().await? {
        sections.push(section);
        progress(Progress::Writing {
            done: sections.len() - 1,
            of,
        });
    }
    sections.push(about(material, made));
    let incident = &order.records.incident;
    let title = format!("#{} {}", incident.number, neutral(&incident.title));
    Ok(Document { title, sections })
}

/// One section: a person's, the last version's, the model's, or code's.
async fn section(
    order: &Order<'_>,
    template: &super::write::TemplateSection,
    material: &Material<'_>,
    sources: &Sources<'_>,
    asker: Option<&Asker>,
) -> Result<Section, DraftError> {
    order.go_on().await?;
    if let Some(human) = order
        .human
        .iter()
        .find(|section| section.heading == template.heading)
    {
        return Ok(human.clone());
    }
    let mut remark = None;
    if let Some(only) = &order.only {
        let last = only
            .last
            .sections
            .iter()
            .find(|section| section.heading == template.heading);
        match last {
            Some(last) if only.heading != template.heading => return Ok(last.clone()),
            _ => remark = only.remark,
        }
    }
    let Some(asker) = asker.filter(|_| !template.content.is_codes_own()) else {
        return Ok(plain(template, material));
    };
    let writer = ModelWriter { asker, remark };
    match written(order, &writer, template, material, sources).await {
        Ok(Some(section)) => Ok(completed(section, template, material)),
        Ok(None) => Ok(plain(template, material)),
        Err(DraftError::Model(error)) => {
            tracing::warn!(%error, "a section is written without the model");
            Ok(plain(template, material))
        }
        Err(DraftError::Cancelled) => Err(DraftError::Cancelled),
    }
}

/// A section by the model, repaired once where it does not hold.
async fn written(
    order: &Order<'_>,
    writer: &ModelWriter<'_>,
    template: &super::write::TemplateSection,
    material: &Material<'_>,
    sources: &Sources<'_>,
) -> Result<Option<Section>, DraftError> {
    let Some(drafted) = writer.write(template, material).await? else {
        return Ok(None);
    };
    if drafted.section.author != Author::Model {
        return Ok(Some(drafted.section));
    }
    let faults = super::check::faults(
        &drafted.section,
        material,
        sources,
        order.template,
        order.hosts,
    );
    if faults.is_empty() {
        return Ok(Some(drafted.section));
    }
    let section = drafted.section.clone();
    match writer.rewrite(drafted, template, &faults, material).await {
        // A repair that leaves nothing is no repair: the lines that hold are worth keeping.
        Ok(repaired) if repaired.author == Author::Model => Ok(Some(repaired)),
        Ok(_) | Err(DraftError::Model(_)) => Ok(Some(section)),
        Err(DraftError::Cancelled) => Err(DraftError::Cancelled),
    }
}

impl Order<'_> {
    /// Lets others run for a moment, and ends the draft where it was cancelled meanwhile.
    async fn go_on(&self) -> Result<(), DraftError> {
        yield_now().await;
        match self.cancel.is_cancelled() {
            true => Err(DraftError::Cancelled),
            false => Ok(()),
        }
    }
}

impl Draft {
    /// The sections that a redraft must leave as they are.
    pub fn human_sections(&self) -> Vec<Section> {
        let sections = self
            .document
            .sections
            .iter()
            .filter(|section| section.author == Author::Person);
        sections
            .filter(|section| !matches!(section.content, Content::KeyFacts | Content::About))
            .cloned()
            .collect()
    }
}
