//! The tool calls of one step: which of them are made, how one is made, and what the model is told.

use std::{
    collections::{BTreeSet, HashSet},
    panic::AssertUnwindSafe,
    sync::Arc,
    time::Duration,
};

use anyhow::anyhow;
use futures::FutureExt;
use serde_json::{Map, Value};
use tokio::time::{Instant, timeout};

use super::{Scene, Tool, ToolError, ToolOutcome, Toolbox};
use crate::{
    llm::ToolCall,
    prompt::marks::{Marks, beginning},
};

/// How many calls of one step are made; the model is told about the rest.
const CALLS_PER_STEP_MAX: usize = 16;

/// A call that is going to be made.
pub(super) struct Planned {
    pub(super) tool: Arc<dyn Tool>,
    pub(super) arguments: Value,
    /// What tells this call from others of the turn.
    pub(super) identity: String,
}

/// Decides which calls of a step are made. In the order of the calls; a refusal is a sentence for the
/// model. `made` holds the identities of the calls that this turn has made before, and gets the new ones.
pub(super) fn plan(
    calls: &[ToolCall],
    toolbox: &Toolbox,
    made: &mut HashSet<String>,
) -> Vec<Result<Planned, String>> {
    let plan_one = |(place, call): (usize, &ToolCall)| {
        if place >= CALLS_PER_STEP_MAX {
            return Err(format!(
                "This call was not made: at most {CALLS_PER_STEP_MAX} calls are made at once. Its result is unknown."
            ));
        }
        let Some(tool) = toolbox.get(&call.name) else {
            let names: Vec<String> = toolbox.specs().into_iter().map(|spec| spec.name).collect();
            return Err(format!(
                "There is no tool of this name. The tools are: {}.",
                names.join(", ")
            ));
        };
        let arguments = read_arguments(&call.arguments)?;
        let identity = format!("{} {arguments}", call.name);
        if !made.insert(identity.clone()) {
            return Err(
                "This very call was made before in this turn, and its result stands above. Use \
                        that, or call with other arguments."
                    .into(),
            );
        }
        Ok(Planned {
            tool: tool.clone(),
            arguments,
            identity,
        })
    };
    calls.iter().enumerate().map(plan_one).collect()
}

/// Models write nothing, or `null`, where a tool has no arguments.
fn read_arguments(text: &str) -> Result<Value, String> {
    if text.trim().is_empty() {
        return Ok(Map::new().into());
    }
    match serde_json::from_str(text) {
        Ok(Value::Null) => Ok(Map::new().into()),
        Ok(arguments @ Value::Object(_)) => Ok(arguments),
        Ok(_) => Err("The arguments are not a JSON object, so the call was not made.".into()),
        Err(error) => Err(format!(
            "The arguments are not JSON ({error}), so the call was not made."
        )),
    }
}

/// The calls of a step as they go into the conversation, where servers check them: each with an id of its
/// own, a name of permitted characters, and arguments that are a JSON object.
pub(super) fn well_formed(calls: &[ToolCall], step: usize) -> Vec<ToolCall> {
    let mut ids = BTreeSet::new();
    let mut put_right = |(place, call): (usize, &ToolCall)| {
        let mut id = call.id.clone();
        if id.is_empty() || !ids.insert(id.clone()) {
            // Nine letters and digits, which is the only form that Mistral takes.
            id = format!("nj{:03}{:04}", step % 1000, place % 10_000);
            ids.insert(id.clone());
        }
        let permitted = |c: char| match c {
            'a'..='z' | 'A'..='Z' | '0'..='9' | '_' | '-' => c,
            _ => '_',
        };
        let name: String = call.name.chars().take(64).map(permitted).collect();
        let arguments = read_arguments(&call.arguments).unwrap_or_else(|_| Map::new().into());
        ToolCall {
            id,
            name: if name.is_empty() {
                "unknown".into()
            } else {
                name
            },
            arguments: arguments.to_string(),
        }
    };
    calls.iter().enumerate().map(&mut put_right).collect()
}

/// What came of a call.
pub(super) struct Done {
    pub(super) outcome: ToolOutcome,
    pub(super) took: Duration,
    /// What the model is told.
    pub(super) text: String,
    /// Why the turn cannot go on, if it cannot.
    pub(super) broken: Option<anyhow::Error>,
}

/// Makes a call. A tool that panics is broken; one that takes too long is let go of.
pub(super) async fn make(
    planned: &Planned,
    scene: &Scene,
    marks: &Marks,
    time_max: Duration,
    bytes_max: usize,
) -> Done {
    let began = Instant::now();
    // A tool is handed a scene that it cannot change, and its own state is never looked at again if the
    // turn ends here, so nothing half-changed is seen after a panic.
    let call =
        AssertUnwindSafe(async { planned.tool.call(planned.arguments.clone(), scene).await });
    let result = match timeout(time_max, call.catch_unwind()).await {
        Ok(Ok(result)) => Some(result),
        Ok(Err(_panic)) => Some(Err(ToolError::Broken(anyhow!("the tool panicked")))),
        Err(_elapsed) => None,
    };
    let (outcome, text, broken) = match result {
        Some(Ok(text)) => (ToolOutcome::Ok, quote_result(&text, marks, bytes_max), None),
        Some(Err(ToolError::TellModel(why))) => {
            let why = quote_result(&why, marks, bytes_max);
            let text = format!("The call failed, so its result is unknown. The tool says:\n{why}");
            (ToolOutcome::ToldModel, text, None)
        }
        Some(Err(ToolError::Broken(error))) => (
            ToolOutcome::Broken,
            "The tool is broken.".into(),
            Some(error),
        ),
        None => {
            let text = format!(
                "The call took longer than {time_max:?} and was ended. Its result is unknown, which is not the same as empty."
            );
            (ToolOutcome::TimedOut, text, None)
        }
    };
    Done {
        outcome,
        took: began.elapsed(),
        text,
        broken,
    }
}

/// A result between marks, with what we have to say about it outside of them.
fn quote_result(text: &str, marks: &Marks, bytes_max: usize) -> String {
    if text.trim().is_empty() {
        return "The call succeeded and its result is empty.".into();
    }
    let shown = beginning(text, bytes_max);
    let quoted = marks.quote(shown);
    if shown.len() == text.len() {
        return quoted;
    }
    format!(
        "{quoted}\n(This result was cut: the first {} of its {} bytes are shown. The rest is unknown; ask for less to see it.)",
        shown.len(),
        text.len()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(id: &str, name: &str, arguments: &str) -> ToolCall {
        ToolCall {
            id: id.into(),
            name: name.into(),
            arguments: arguments.into(),
        }
    }

    #[test]
    fn calls_are_put_right_for_the_conversation() {
        let calls = [
            call("a", "logs", r#"{"q": 1}"#),
            call("a", "logs", r#"{"q": "#),
            call("", "look up, please", "null"),
            call("", "", "[1]"),
        ];
        let expected = [
            call("a", "logs", r#"{"q":1}"#),
            call("nj0020001", "logs", "{}"),
            call("nj0020002", "look_up__please", "{}"),
            call("nj0020003", "unknown", "{}"),
        ];
        assert_eq!(well_formed(&calls, 2), expected);
    }

    #[test]
    fn a_result_says_when_it_was_cut_or_is_empty() {
        let marks = Marks::with("5eed");
        assert_eq!(
            quote_result("ok", &marks, 10),
            "<quoted-5eed>\nok\n</quoted-5eed>"
        );
        assert_eq!(
            quote_result("慢慢慢", &marks, 7),
            "<quoted-5eed>\n慢慢\n</quoted-5eed>\n(This result was cut: the first 6 of its 9 bytes are shown. The rest is unknown; ask for less to see it.)"
        );
        assert_eq!(
            quote_result(" \n", &marks, 10),
            "The call succeeded and its result is empty."
        );
    }
}
