//! Whole turns, with a scripted model behind HTTP and small tools.

mod calls;
mod endings;
mod refusals;

use std::{
    fmt::Write as _,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use anyhow::anyhow;
use futures::{FutureExt, future::BoxFuture};
use serde_json::{Value, json};
use tokio::sync::{Barrier, Semaphore};

use super::{
    context::tests::{context, said},
    *,
};
use crate::{
    config::Language,
    llm::fake::{FakeModel, Reply, piece},
};

/// What a tool of these tests does.
enum Does {
    /// Repeats its arguments.
    Echo,
    /// Says this.
    Say(String),
    /// Says this, when another tool gets here too.
    Meet(Arc<Barrier>),
    /// Never ends.
    Hang(Arc<Hanging>),
    /// Tells the model that it cannot.
    Decline,
    /// Is broken.
    Break,
    /// Panics.
    Panic,
}

struct TestTool(&'static str, Does);

impl Tool for TestTool {
    fn spec(&self) -> ToolSpec {
        ToolSpec {
            name: self.0.into(),
            description: "A tool of a test.".into(),
            parameters: json!({"type": "object"}),
        }
    }

    fn title(&self, language: Language, arguments: &Value) -> String {
        format!("{language:?}\n{} {arguments}", self.0)
    }

    fn call<'a>(
        &'a self,
        arguments: Value,
        _: &'a Scene,
    ) -> BoxFuture<'a, Result<String, ToolError>> {
        async move {
            match &self.1 {
                Does::Echo => Ok(format!("echo {arguments}")),
                Does::Say(text) => Ok(text.clone()),
                Does::Meet(barrier) => {
                    barrier.wait().await;
                    Ok(format!("met by {}", self.0))
                }
                Does::Hang(hanging) => {
                    let _let_go = LetGo(hanging.clone());
                    hanging.begun.add_permits(1);
                    std::future::pending().await
                }
                Does::Decline => Err(ToolError::TellModel("no such service".into())),
                Does::Break => Err(ToolError::Broken(anyhow!("the disk is gone"))),
                Does::Panic => panic!("as the test wants"),
            }
        }
        .boxed()
    }
}

/// What is known of calls that never end.
struct Hanging {
    /// A permit for each that has begun.
    begun: Semaphore,
    /// How many were let go of.
    let_go: AtomicUsize,
}

impl Hanging {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            begun: Semaphore::new(0),
            let_go: AtomicUsize::new(0),
        })
    }
}

struct LetGo(Arc<Hanging>);

impl Drop for LetGo {
    fn drop(&mut self) {
        self.0.let_go.fetch_add(1, Ordering::SeqCst);
    }
}

/// A turn on a scripted model.
struct Stage {
    server: FakeModel,
    tools: Vec<TestTool>,
    context: Context,
    limits: AgentConfig,
    cancel: CancellationToken,
    metrics: Metrics,
}

impl Stage {
    async fn new(
        replies: impl IntoIterator<Item = Reply>,
        tools: impl IntoIterator<Item = TestTool>,
    ) -> Self {
        Self {
            server: FakeModel::start(replies).await,
            tools: tools.into_iter().collect(),
            context: context("Why is checkout slow?"),
            limits: AgentConfig::default(),
            cancel: CancellationToken::new(),
            metrics: Metrics::default(),
        }
    }

    fn begin(&mut self) -> mpsc::Receiver<TurnEvent> {
        let model = Model::new(&self.server.config(), self.metrics.clone()).unwrap();
        let tools = std::mem::take(&mut self.tools);
        let toolbox = Toolbox::new(
            tools
                .into_iter()
                .map(|tool| Arc::new(tool) as Arc<dyn Tool>),
        );
        let (limits, cancel) = (self.limits.clone(), self.cancel.clone());
        run_turn(
            self.context.clone(),
            toolbox,
            model,
            limits,
            cancel,
            self.metrics.clone(),
        )
    }

    /// The whole turn, written down.
    async fn play(&mut self) -> String {
        write_down(&mut self.begin()).await
    }

    /// The messages of the last request.
    fn told(&self) -> Vec<Value> {
        let requests = self.server.requests();
        requests.last().unwrap()["messages"]
            .as_array()
            .unwrap()
            .clone()
    }

    /// The results in the last request, in their order, with the marks' word replaced.
    fn results(&self) -> Vec<String> {
        let told = self.told();
        let nonce = nonce(&told);
        let results = told.iter().filter(|message| message["role"] == "tool");
        let texts = results.map(|message| message["content"].as_str().unwrap());
        texts
            .map(|text| text.replace(&nonce, "N").replace('\n', "|"))
            .collect()
    }
}

/// The word in the marks of a request.
fn nonce(told: &[Value]) -> String {
    let system = told[0]["content"].as_str().unwrap();
    let nonce = system.split("<quoted-").nth(1).unwrap();
    nonce.split('>').next().unwrap().to_owned()
}

/// Reads a turn to its end: texts as they are, the rest in brackets.
async fn write_down(events: &mut mpsc::Receiver<TurnEvent>) -> String {
    let mut seen = String::new();
    while let Some(event) = events.recv().await {
        match event {
            TurnEvent::Reasoning => seen.push_str("(thinks)"),
            TurnEvent::Text(text) => seen.push_str(&text),
            TurnEvent::ImagesRefused => seen.push_str("(images refused)"),
            TurnEvent::ToolStarted { call, title } => write!(seen, "({call} {title})").unwrap(),
            TurnEvent::ToolFinished { call, outcome, .. } => {
                write!(seen, "({call} {outcome:?})").unwrap()
            }
            TurnEvent::Ended(ending) => {
                let outcome = match &ending.outcome {
                    Outcome::Failed(FailReason::Model(error)) => format!("Failed: {error}"),
                    Outcome::Failed(FailReason::Tool { name, error }) => {
                        format!("Failed: {name}: {error}")
                    }
                    other => format!("{other:?}"),
                };
                write!(
                    seen,
                    " -- {outcome}, {} steps, {} tokens",
                    ending.steps, ending.usage.prompt_tokens
                )
                .unwrap();
                assert!(
                    events.recv().await.is_none(),
                    "something comes after the end"
                );
            }
        }
    }
    seen
}
