//! A turn as people see it, folded from its events. Knows no network.

use std::time::{Duration, Instant};

use crate::agent::{Ending, ToolOutcome, TurnEvent};

use super::super::card::answer::{Step, StepState};

/// More steps than these are not shown one by one; a card has room for 200 elements in all.
const STEPS_SHOWN_MAX: usize = 30;

/// What there is to show of a turn.
#[derive(Debug, Default)]
pub(crate) struct TurnView {
    /// The answer so far, in the model's Markdown.
    pub text: String,
    /// What was read before the model was asked, and then the tool calls, in the order in which they began.
    pub steps: Vec<Step>,
    /// How many of the steps are what was read.
    read: usize,
    /// Whether the model would not take images.
    pub images_refused: bool,
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
            TurnEvent::ImagesRefused => self.images_refused = true,
            TurnEvent::ToolFinished {
                call,
                outcome,
                took,
            } => {
                if let Some(step) = self.steps.get_mut(self.read + call) {
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

    /// Takes note that something is being read, and gives the number of the step. Nothing may be read any
    /// more when the first tool is called.
    pub(crate) fn begin_reading(&mut self, title: String) -> usize {
        self.steps.push(Step {
            title,
            state: StepState::Running,
            took: None,
        });
        self.read = self.steps.len();
        self.read - 1
    }

    /// Gives a step another title, as more is known of what is being read.
    pub(crate) fn retitle_reading(&mut self, step: usize, title: String) {
        if let Some(step) = self.steps.get_mut(step) {
            step.title = title;
        }
    }

    /// Takes note of how reading ended.
    pub(crate) fn end_reading(&mut self, step: usize, was_read: bool, took: Duration) {
        if let Some(step) = self.steps.get_mut(step) {
            step.state = match was_read {
                true => StepState::Done,
                false => StepState::Failed,
            };
            step.took = Some(took);
        }
    }

    /// Whether there is nothing more to come.
    pub(crate) fn is_over(&self) -> bool {
        self.closed
    }
}
