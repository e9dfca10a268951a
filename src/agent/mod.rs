//! One turn of thought: a question in, a stream of [`TurnEvent`]s out.
//!
//! Knows no screen: cards, the console and tests each read the same stream. [`TurnEvent::Ended`] comes
//! last and once; a stream that closes without it means that the turn's task died.

mod calls;
mod context;
mod conversation;
#[cfg(test)]
mod tests;
mod tool;
mod turn;

use std::time::Duration;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tracing::{Instrument, field, info_span};

use self::turn::Turn;
use crate::{config::AgentConfig, telemetry::Metrics};

pub use crate::llm::{Error as ModelError, Image, Model, ToolSpec, Usage, estimate_tokens};
pub use context::{
    Attached, Budgets, ChatKind, Content, Context, Excerpt, Exchange, Facts, Gap, Said, With,
    newest_lines,
};
pub use tool::{Scene, Tool, ToolError, Toolbox};

/// What happens in a turn, in order.
#[derive(Debug)]
pub enum TurnEvent {
    /// The model thinks; there is nothing to show but that.
    Reasoning,
    /// The next piece of the answer, to be added to what came before as it is.
    Text(String),
    /// A tool call begins.
    ToolStarted {
        /// The call's number in this turn, from 0.
        call: usize,
        /// What is being done, in the language of the turn, at most 200 characters on one line. It may
        /// hold words that the model made up: show it as plain text.
        title: String,
    },
    /// A tool call has ended.
    ToolFinished {
        /// The number given by [`TurnEvent::ToolStarted`].
        call: usize,
        /// How it ended.
        outcome: ToolOutcome,
        /// How long it took.
        took: Duration,
    },
    /// The model would not take the images that came with the question; it is asked without them.
    ImagesRefused,
    /// The turn is over.
    Ended(Ending),
}

/// How a tool call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ToolOutcome {
    /// It gave a result.
    Ok,
    /// It could not, and told the model why.
    ToldModel,
    /// It took longer than it may.
    TimedOut,
    /// It failed in a way that ends the turn.
    Broken,
    /// The turn was stopped, or ran out of time, before the call was done.
    Stopped,
}

/// How a turn ended, and what it took.
#[derive(Debug)]
pub struct Ending {
    /// How it ended.
    pub outcome: Outcome,
    /// Tokens, as far as the model's server counted them.
    pub usage: Usage,
    /// How many times the model was asked.
    pub steps: usize,
}

/// How a turn ended.
#[derive(Debug)]
pub enum Outcome {
    /// The answer is complete.
    Answered,
    /// There is an answer, or a part of one, and something kept it from being whole.
    CutShort(CutReason),
    /// Someone cancelled the turn.
    Stopped,
    /// There is no answer that one could rely on; text may have been shown before.
    Failed(FailReason),
}

/// What kept an answer from being whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CutReason {
    /// The model ran into its limit on tokens in the middle of the answer.
    Length,
    /// The model's server held the rest back.
    ContentFilter,
    /// The turn used up its steps, so the answer rests on what was known by then.
    Steps,
    /// The turn used up its time.
    Time,
    /// The model's server ended the answer for a reason of its own, such as too little capacity.
    Server,
}

/// Why there is no answer.
#[derive(Debug)]
pub enum FailReason {
    /// The model could not be asked, or its answer broke.
    Model(ModelError),
    /// The model ended its answer without having said anything.
    SaidNothing,
    /// A tool failed in a way that it did not expect.
    Tool {
        /// The tool's name.
        name: String,
        /// What went wrong, for the log.
        error: anyhow::Error,
    },
}

/// Thinks about a question in a task of its own, until there is an answer, a budget is used up, `cancel`
/// is cancelled, or nobody listens any more.
///
/// The receiver is bounded, so a slow reader makes the turn wait (what the model says meanwhile is kept, at
/// most 16 MiB of it).
pub fn run_turn(
    context: Context,
    toolbox: Toolbox,
    model: Model,
    limits: AgentConfig,
    cancel: CancellationToken,
    metrics: Metrics,
) -> mpsc::Receiver<TurnEvent> {
    // A few updates of a card; whoever draws one takes them all at once.
    let (sender, receiver) = mpsc::channel(64);
    let span = info_span!(
        "turn",
        model.name = model.name(),
        turn.steps = field::Empty,
        turn.outcome = field::Empty,
        tokens.prompt = field::Empty,
        tokens.completion = field::Empty,
    );
    let turn = Turn::new(context, toolbox, model, limits, metrics, sender);
    // The task ends before or with its receiver, so whoever reads to the end has waited for it.
    tokio::spawn(turn.run(cancel).instrument(span));
    receiver
}
