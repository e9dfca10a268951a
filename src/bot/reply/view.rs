//! A turn as people see it, folded from its events. Knows no network.

use std::time::Instant;

use crate::agent::{Ending, ToolOutcome, TurnEvent};

use super::super::card::answer::{Step, StepState};

/// More steps than these are not shown one by one; a card has room for 200 elements in all.
const STEPS_SHOWN_MAX: usize = 30;

/// What there is to show of a turn.
#[derive(Debug, Default)]
pub(crate) struct TurnView {
    /// The answer so far, in the model's Markdown.
    pub text: String,
    /// The tool calls, in the order in which they began.
    pub steps: Vec<Step>,
    /// When the first text was there.
    pub first_text_at: Option<Instant>,
    /// How it ended, once it has.
    pub ending: Option<Ending>,
    /// Set when nothing more will come, also where there was no ending.
    pub closed: bool,
}

impl TurnView {
    /// Takes in what happened.
    pub(crate) fn apply(&mut self, event: TurnEvent) {
        match event {
            TurnEvent::Reasoning => {}
            TurnEvent::Text(text) => {
                if !text.is_empty() {
                    self.first_text_at.get_or_insert_with(Instant::now);
                }
                self.text.push_str(&text);
            }
            TurnEvent::ToolStarted { call, title } if call < STEPS_SHOWN_MAX => {
                self.steps.push(Step {
                    title,
                    state: StepState::Running,
                    took: None,
                });
            }
            TurnEvent::ToolFinished {
                call,
                outcome,
                took,
            } => {
                if let Some(step) = self.steps.get_mut(call) {
                    step.state = match outcome {
                        ToolOutcome::Ok => StepState::Done,
                        _ => StepState::Failed,
                    };
                    step.took = Some(took);
                }
            }
            TurnEvent::ToolStarted { .. } => {}
            TurnEvent::Ended(ending) => self.ending = Some(ending),
        }
    }

    /// Whether there is nothing more to come.
    pub(crate) fn is_over(&self) -> bool {
        self.closed
    }
}
