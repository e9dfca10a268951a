//! How a turn ended: the last word of its answer, its sign, and what it is counted as.

use tracing::{error, warn};

use crate::{
    agent::{CutReason, FailReason, ModelError, Outcome},
    bot::{
        Entry,
        card::answer::AnswerState,
        inbox::{KeptWord, Said},
        phrase::Phrase,
        reply::TurnView,
    },
};

use super::context::Around;

/// Who or what ended a turn from outside.
pub(super) struct Why {
    /// The process ends.
    pub(super) interrupted: bool,
    /// The question was recalled.
    pub(super) is_withdrawn: bool,
    /// The name of someone who stopped it.
    pub(super) stopped_by: Option<String>,
}

/// How a turn ended, in all the forms in which that is told.
pub(super) struct End {
    /// What is said.
    pub(super) word: KeptWord,
    /// What it is counted as.
    pub(super) label: &'static str,
}

impl End {
    /// The ending of the turn that `view` shows.
    pub(super) fn of(view: &TurnView, why: &Why, entry: &Entry, around: &Around) -> Self {
        let language = entry.language;
        let mut notes = Vec::new();
        if around.history_problem.is_some() {
            notes.push(Phrase::NoHistory.text(language));
        }
        if let Some(again) = &entry.kept.again {
            let name = &again.name;
            notes.push(Phrase::RegeneratedFor { name }.text(language));
        }
        if view.images_refused {
            notes.push(Phrase::ImagesRefused.text(language));
        }
        notes.extend(around.not_read.clone());
        let mut instead = None;
        let outcome = view.ending.as_ref().map(|ending| &ending.outcome);
        let (said, state, label) = match outcome {
            _ if why.interrupted => (Said::Stopped, AnswerState::Interrupted, "interrupted"),
            _ if why.is_withdrawn => {
                notes = vec![Phrase::Withdrawn.text(language)];
                (Said::Stopped, AnswerState::Stopped, "withdrawn")
            }
            Some(Outcome::Answered) => (Said::Answered, AnswerState::Done, "answered"),
            Some(Outcome::CutShort(reason)) => {
                notes.push(cut(*reason).text(language));
                (Said::Answered, AnswerState::CutShort, "cut_short")
            }
            Some(Outcome::Stopped) => {
                if let Some(name) = &why.stopped_by {
                    notes.insert(0, Phrase::StoppedBy { name }.text(language));
                }
                (Said::Stopped, AnswerState::Stopped, "stopped")
            }
            Some(Outcome::Failed(reason)) => {
                log(reason);
                let sentence = failure(reason).text(language);
                match view.text.trim().is_empty() {
                    true => instead = Some(sentence),
                    false => notes.push(sentence),
                }
                (Said::Failed, AnswerState::Failed, "failed")
            }
            None => {
                error!("a turn ended without an ending");
                let trace = entry.message.id.as_str();
                instead = Some(Phrase::Broken { trace }.text(language));
                (Said::Failed, AnswerState::Failed, "died")
            }
        };
        // What was recalled is not remembered, nor what quotes it.
        let is_answer = instead.is_none() && !why.is_withdrawn && !view.text.trim().is_empty();
        let notes = notes.join(" ");
        let word = KeptWord {
            state,
            said,
            text: instead.unwrap_or_else(|| view.text.clone()),
            note: Some(notes).filter(|notes| !notes.is_empty()),
            is_answer,
            can_regenerate: !why.interrupted && !why.is_withdrawn,
            anew: Vec::new(),
        };
        Self { word, label }
    }
}

fn cut(reason: CutReason) -> Phrase<'static> {
    match reason {
        CutReason::Length => Phrase::CutByLength,
        CutReason::ContentFilter => Phrase::CutByFilter,
        CutReason::Steps => Phrase::CutBySteps,
        CutReason::Time => Phrase::CutByTime,
        CutReason::Server => Phrase::CutByServer,
    }
}

fn failure(reason: &FailReason) -> Phrase<'_> {
    match reason {
        FailReason::Model(error) => model_failure(error),
        FailReason::SaidNothing => Phrase::ModelSilent,
        FailReason::Tool { name, .. } => Phrase::ToolBroke { name },
    }
}

/// What went wrong with the model, for people.
pub(super) fn model_failure(error: &ModelError) -> Phrase<'static> {
    match error {
        ModelError::Unauthorized(_) => Phrase::ModelUnauthorized,
        ModelError::Refused(_) | ModelError::Garbled(_) => Phrase::ModelRefused,
        ModelError::TooFast { .. } => Phrase::ModelTooFast,
        ModelError::ContextTooLong => Phrase::ModelTooLong,
        ModelError::Unreachable(_) | ModelError::NoFirstToken(_) => Phrase::ModelUnreachable,
        ModelError::Stalled(_) | ModelError::BrokenOff => Phrase::ModelBroke,
    }
}

fn log(reason: &FailReason) {
    match reason {
        FailReason::Model(error @ ModelError::Unauthorized(_)) => error!(%error, "a turn failed"),
        FailReason::Model(error) => warn!(%error, "a turn failed"),
        FailReason::SaidNothing => warn!("the model said nothing"),
        FailReason::Tool { name, error } => {
            error!(tool = name, error = format!("{error:#}"), "a tool broke")
        }
    }
}
