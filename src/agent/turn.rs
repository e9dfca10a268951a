//! The loop: ask the model, show its words, make the calls it asks for, tell it the results, and again.
//!
//! What interrupts a turn (a cancellation, its time, a reader who has gone) drops the whole loop where it
//! stands, and with it the request and the tools that run. So nothing in the loop looks for it.

use std::{
    collections::{BTreeMap, HashSet},
    time::Duration,
};

use futures::{StreamExt, stream::FuturesUnordered};
use tokio::{sync::mpsc, time::Instant};
use tokio_util::sync::CancellationToken;
use tracing::{Instrument, Span, field, info_span, warn};

use super::{
    Context, CutReason, Ending, FailReason, Outcome, Scene, ToolOutcome, ToolSpec, Toolbox,
    TurnEvent,
    calls::{self, Done, Planned},
    conversation::Conversation,
};
use crate::{
    config::AgentConfig,
    llm::{Answer, ChatMessage, Error, FinishReason, Model, StreamEvent, ToolCall, Usage},
    prompt::marks::{Marks, one_line},
    telemetry::{Metrics, ToolLabels},
};

/// How many characters of a tool call's title are shown.
const TITLE_CHARS_MAX: usize = 200;

/// A turn that goes on.
pub(super) struct Turn {
    conversation: Conversation,
    scene: Scene,
    toolbox: Toolbox,
    model: Model,
    limits: AgentConfig,
    metrics: Metrics,
    events: mpsc::Sender<TurnEvent>,
    began: Instant,
    usage: Usage,
    steps: usize,
    /// How many calls people have been shown.
    calls: usize,
    /// Those of them that are not done, and when they began.
    running: BTreeMap<usize, Instant>,
    /// The identities of calls that got an answer, so that none is made twice.
    made: HashSet<String>,
    /// Whether people have been shown any text.
    has_spoken: bool,
}

/// What the model said in one step.
#[derive(Default)]
struct Step {
    text: String,
    reasoning: String,
    calls: Vec<ToolCall>,
}

/// A call that people have been shown.
struct Begun {
    /// Where it stands among the calls of its step.
    place: usize,
    /// Its number in the turn.
    number: usize,
    planned: Planned,
}

impl Turn {
    pub(super) fn new(
        context: Context,
        toolbox: Toolbox,
        model: Model,
        limits: AgentConfig,
        metrics: Metrics,
        events: mpsc::Sender<TurnEvent>,
    ) -> Self {
        let scene = Scene::new(context.language, context.facts.clone(), context.now.clone());
        Self {
            conversation: Conversation::new(
                context,
                Marks::new(),
                &toolbox.specs(),
                model.sees_images(),
            ),
            scene,
            toolbox,
            model,
            limits,
            metrics,
            events,
            began: Instant::now(),
            usage: Usage::default(),
            steps: 0,
            calls: 0,
            running: BTreeMap::new(),
            made: HashSet::new(),
            has_spoken: false,
        }
    }

    /// Goes on to the end, and tells it.
    pub(super) async fn run(mut self, cancel: CancellationToken) {
        let nobody_listens = self.events.clone();
        let out_of_time = tokio::time::sleep_until(self.began + self.limits.time_max);
        let outcome = tokio::select! {
            // A stop that comes together with the last word is still a stop.
            biased;
            () = cancel.cancelled() => Outcome::Stopped,
            () = nobody_listens.closed() => Outcome::Stopped,
            () = out_of_time => Outcome::CutShort(CutReason::Time),
            Err(outcome) = self.think() => outcome,
        };
        for (call, began) in std::mem::take(&mut self.running) {
            let outcome = ToolOutcome::Stopped;
            let took = began.elapsed();
            self.tell(TurnEvent::ToolFinished {
                call,
                outcome,
                took,
            })
            .await;
        }
        let span = Span::current();
        span.record("turn.steps", self.steps);
        span.record("turn.outcome", name_of(&outcome));
        span.record("tokens.prompt", self.usage.prompt_tokens);
        span.record("tokens.completion", self.usage.completion_tokens);
        let ending = Ending {
            outcome,
            usage: self.usage,
            steps: self.steps,
        };
        self.tell(TurnEvent::Ended(ending)).await;
    }

    /// Step by step, until an outcome is reached, which is the error here since it ends the loop.
    async fn think(&mut self) -> Result<std::convert::Infallible, Outcome> {
        loop {
            let limit = self.limit_reached();
            let is_last = self.steps + 1 >= self.limits.steps_max;
            let tools = if is_last || limit.is_some() {
                Vec::new()
            } else {
                self.toolbox.specs()
            };
            let answer = self.ask(tools).await.map_err(failed)?;
            let (step, reason) = self.listen(answer).await.map_err(failed)?;

            let cut = match reason {
                FinishReason::Length => Some(CutReason::Length),
                FinishReason::ContentFilter => Some(CutReason::ContentFilter),
                FinishReason::Other(_) => Some(CutReason::Server),
                FinishReason::Stop | FinishReason::ToolCalls => None,
            };
            // Calls of an answer that was cut may be cut themselves, and none are asked for at a limit.
            if let Some(cut) = cut.or(limit) {
                return Err(Outcome::CutShort(cut));
            }
            if step.calls.is_empty() {
                return Err(self.answered());
            }
            if is_last {
                return Err(Outcome::CutShort(CutReason::Steps));
            }
            self.make_calls(step).await?;
        }
    }

    fn answered(&self) -> Outcome {
        if self.has_spoken {
            Outcome::Answered
        } else {
            Outcome::Failed(FailReason::SaidNothing)
        }
    }

    /// The limit for whose sake the next step has to be the last: the last step, or so late that another
    /// round of tools would leave no time for an answer. Nothing is cut short by it in the first step.
    fn limit_reached(&self) -> Option<CutReason> {
        if self.steps == 0 {
            None
        } else if self.steps + 1 >= self.limits.steps_max {
            Some(CutReason::Steps)
        } else if self.began.elapsed() >= self.limits.time_max * 3 / 4 {
            Some(CutReason::Time)
        } else {
            None
        }
    }

    /// Asks the model; once more without images, if it refuses a request that has them, and once more with
    /// half of the conversation, if that is too long for it.
    async fn ask(&mut self, tools: Vec<ToolSpec>) -> Result<Answer, Error> {
        self.steps += 1;
        let request = self.conversation.request(tools.clone());
        let mut answer = self.model.stream(&request).await;
        // What a server says about images differs from one to the next, so any refusal is taken for it.
        if let Err(error @ (Error::Refused(_) | Error::ContextTooLong)) = &answer
            && self.conversation.has_images()
        {
            warn!(%error, "asking without the images");
            self.conversation.without_images();
            self.tell(TurnEvent::ImagesRefused).await;
            let request = self.conversation.request(tools.clone());
            answer = self.model.stream(&request).await;
        }
        match answer {
            Err(Error::ContextTooLong) => {
                warn!("halved a conversation that is too long for the model");
                self.conversation.halve();
                self.model.stream(&self.conversation.request(tools)).await
            }
            answer => answer,
        }
    }

    /// Reads an answer to its end, and shows its text as it comes.
    async fn listen(&mut self, mut answer: Answer) -> Result<(Step, FinishReason), Error> {
        let mut step = Step::default();
        let mut finished = FinishReason::Stop;
        while let Some(event) = answer.next().await {
            match event? {
                StreamEvent::Text(text) => {
                    let is_first = step.text.trim().is_empty();
                    step.text.push_str(&text);
                    self.show(&text, is_first).await;
                }
                StreamEvent::Reasoning(text) => {
                    if step.reasoning.is_empty() {
                        self.tell(TurnEvent::Reasoning).await;
                    }
                    step.reasoning.push_str(&text);
                }
                StreamEvent::ToolCall(call) => step.calls.push(call),
                StreamEvent::Finished { reason, usage } => {
                    self.usage += usage.unwrap_or_default();
                    finished = reason;
                }
            }
        }
        Ok((step, finished))
    }

    /// Shows a piece of text. The first of a step is set off from what earlier steps said.
    async fn show(&mut self, text: &str, is_first_of_step: bool) {
        if !is_first_of_step {
            return self.tell(TurnEvent::Text(text.to_owned())).await;
        }
        let text = text.trim_start();
        if text.is_empty() {
            return;
        }
        let space = if self.has_spoken { "\n\n" } else { "" };
        self.has_spoken = true;
        self.tell(TurnEvent::Text(format!("{space}{text}"))).await;
    }

    /// Makes the calls of a step, and adds the step to the conversation.
    async fn make_calls(&mut self, step: Step) -> Result<(), Outcome> {
        let mut texts: Vec<String> = vec![String::new(); step.calls.len()];
        let begun = self.begin_calls(&step.calls, &mut texts).await;
        self.finish_calls(&begun, &mut texts).await?;

        let calls = calls::well_formed(&step.calls, self.steps);
        let results = calls
            .iter()
            .zip(texts)
            .map(|(call, text)| ChatMessage::ToolResult {
                call_id: call.id.clone(),
                text,
            });
        let results = results.collect();
        let said = ChatMessage::Assistant {
            text: step.text,
            reasoning: step.reasoning,
            tool_calls: calls,
        };
        self.conversation.add_step(said, results);
        Ok(())
    }

    /// Decides which calls are made, and tells that they begin. What is refused has its text at once.
    async fn begin_calls(&mut self, calls: &[ToolCall], texts: &mut [String]) -> Vec<Begun> {
        let planned = calls::plan(calls, &self.toolbox, &mut self.made);
        let mut begun = Vec::new();
        for (place, (planned, call)) in planned.into_iter().zip(calls).enumerate() {
            match planned {
                Ok(planned) => begun.push(Begun {
                    place,
                    number: self.begin_call(&planned).await,
                    planned,
                }),
                Err(refusal) => {
                    // A name that the model made up is no label: there is no end of them.
                    let name = match self.toolbox.get(&call.name) {
                        Some(_) => &call.name,
                        None => "unknown",
                    };
                    self.count(name, ToolOutcome::ToldModel);
                    texts[place] = refusal;
                }
            }
        }
        begun
    }

    /// Makes calls side by side, and puts what came of each into its place.
    async fn finish_calls(&mut self, begun: &[Begun], texts: &mut [String]) -> Result<(), Outcome> {
        // What the futures borrow has to be theirs, since `self` takes note of each as it ends.
        let (scene, marks) = (self.scene.clone(), self.conversation.marks.clone());
        let (time_max, bytes_max) = (self.limits.tool_timeout, self.limits.tool_result_bytes_max);
        let make = |begun| {
            let call = make_in_span(begun, &scene, &marks, time_max, bytes_max);
            async move { (begun, call.await) }
        };
        let mut running: FuturesUnordered<_> = begun.iter().map(make).collect();
        while let Some((begun, done)) = running.next().await {
            texts[begun.place] = self.end_call(begun.number, &begun.planned, done).await?;
        }
        Ok(())
    }

    /// Tells that a call begins, and gives it its number.
    async fn begin_call(&mut self, planned: &Planned) -> usize {
        let call = self.calls;
        self.calls += 1;
        self.running.insert(call, Instant::now());
        let title = planned.tool.title(self.scene.language, &planned.arguments);
        let title = one_line(&title, TITLE_CHARS_MAX);
        self.tell(TurnEvent::ToolStarted { call, title }).await;
        call
    }

    /// Tells that a call has ended, and gives what the model is to hear of it.
    async fn end_call(
        &mut self,
        call: usize,
        planned: &Planned,
        done: Done,
    ) -> Result<String, Outcome> {
        self.running.remove(&call);
        let name = planned.tool.spec().name;
        self.count(&name, done.outcome);
        let (outcome, took) = (done.outcome, done.took);
        self.tell(TurnEvent::ToolFinished {
            call,
            outcome,
            took,
        })
        .await;
        if outcome == ToolOutcome::TimedOut {
            // It got no answer, so it may be tried again.
            self.made.remove(&planned.identity);
        }
        match done.broken {
            Some(error) => Err(Outcome::Failed(FailReason::Tool { name, error })),
            None => Ok(done.text),
        }
    }

    fn count(&self, tool: &str, outcome: ToolOutcome) {
        let labels = ToolLabels {
            tool: tool.to_owned(),
            outcome: name_of_call(outcome),
        };
        self.metrics.tool_calls.get_or_create(&labels).inc();
    }

    async fn tell(&self, event: TurnEvent) {
        // Whoever does not listen any more has ended the turn already, see `run`.
        let _ = self.events.send(event).await;
    }
}

async fn make_in_span(
    begun: &Begun,
    scene: &Scene,
    marks: &Marks,
    time_max: Duration,
    bytes_max: usize,
) -> Done {
    let planned = &begun.planned;
    let span = info_span!(
        "tool",
        tool.name = planned.tool.spec().name,
        tool.outcome = field::Empty
    );
    let call = calls::make(planned, scene, marks, time_max, bytes_max);
    let done = call.instrument(span.clone()).await;
    span.record("tool.outcome", name_of_call(done.outcome));
    done
}

fn failed(error: Error) -> Outcome {
    Outcome::Failed(FailReason::Model(error))
}

fn name_of(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Answered => "answered",
        Outcome::CutShort(_) => "cut_short",
        Outcome::Stopped => "stopped",
        Outcome::Failed(_) => "failed",
    }
}

fn name_of_call(outcome: ToolOutcome) -> &'static str {
    match outcome {
        ToolOutcome::Ok => "ok",
        ToolOutcome::ToldModel => "told_model",
        ToolOutcome::TimedOut => "timeout",
        ToolOutcome::Broken => "broken",
        ToolOutcome::Stopped => "stopped",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{agent::context::tests::context, config::ModelConfig};

    #[tokio::test(start_paused = true)]
    async fn a_late_turn_concludes_while_there_is_time_for_an_answer() {
        let metrics = Metrics::default();
        let model = Model::new(&ModelConfig::default(), metrics.clone()).unwrap();
        let limits = AgentConfig {
            steps_max: 9,
            time_max: Duration::from_secs(100),
            ..AgentConfig::default()
        };
        let (events, _listening) = mpsc::channel(1);
        let mut turn = Turn::new(
            context("Why?"),
            Toolbox::default(),
            model,
            limits,
            metrics,
            events,
        );
        tokio::time::advance(Duration::from_secs(76)).await;
        assert_eq!(
            turn.limit_reached(),
            None,
            "the first step is never cut short"
        );
        turn.steps = 1;
        assert_eq!(turn.limit_reached(), Some(CutReason::Time));
        turn.steps = 8;
        assert_eq!(turn.limit_reached(), Some(CutReason::Steps));
    }
}
