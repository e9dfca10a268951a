//! The model: whether it answers, in pieces, and whether it calls tools. Two tiny requests, side by side.

use std::time::{Duration, Instant};

use futures::StreamExt;
use serde_json::json;

use super::finding::{Check, Finding, both};
use crate::{
    config::ModelConfig,
    llm::{ChatMessage, Error, Model, Request, StreamEvent, ToolSpec},
};

const ANSWERS: Check = Check::required("model", "The model answers", "模型能应答");
const STREAMS: Check = Check::optional("model.streams", "It answers piece by piece", "流式应答");
const TOOLS: Check = Check::optional("model.tools", "It calls tools", "能调用工具");

/// Long enough to come in several pieces, and short enough to cost nothing.
const WORDS: &str = "Count from one to twenty in English words, separated by commas. Nothing else.";
const CALL: &str = "What time is it? Call the tool; do not guess.";

/// What a request brought.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Heard {
    /// How many pieces of text came.
    pieces: usize,
    /// Whether anything else came: thoughts, or the end.
    anything: bool,
    /// Whether a tool was called.
    called: bool,
    /// How long the first piece took.
    first: Duration,
    /// Whether the end was waited for in vain.
    is_cut: bool,
}

/// What both brought; `None` where nothing came in time.
pub(super) struct Seen {
    words: Result<Option<Heard>, Error>,
    call: Result<Option<Heard>, Error>,
    /// How long both had.
    patience: Duration,
}

/// Asks the model both things, and gives each so long.
pub(super) async fn probe(model: &Model, patience: Duration) -> Seen {
    let words = Request {
        messages: vec![ChatMessage::User(WORDS.into())],
        tools: Vec::new(),
    };
    let call = Request {
        messages: vec![ChatMessage::User(CALL.into())],
        tools: vec![ToolSpec {
            name: "current_time_and_chat".into(),
            description: "The time at this moment.".into(),
            parameters: json!({"type": "object", "properties": {}, "additionalProperties": false}),
        }],
    };
    let (words, call) = tokio::join!(hear(model, &words, patience), hear(model, &call, patience));
    Seen {
        words,
        call,
        patience,
    }
}

async fn hear(
    model: &Model,
    request: &Request,
    patience: Duration,
) -> Result<Option<Heard>, Error> {
    let began = Instant::now();
    let mut heard = Heard::default();
    let listening = async {
        let mut answer = model.stream(request).await?;
        while let Some(event) = answer.next().await {
            if !heard.anything {
                heard.first = began.elapsed();
            }
            heard.anything = true;
            match event? {
                StreamEvent::Text(_) => heard.pieces += 1,
                StreamEvent::ToolCall(_) => heard.called = true,
                StreamEvent::Reasoning(_) | StreamEvent::Finished { .. } => {}
            }
        }
        Ok(())
    };
    match tokio::time::timeout(patience, listening).await {
        Ok(Ok(())) => Ok(Some(heard)),
        Ok(Err(error)) => Err(error),
        Err(_) if heard.anything => Ok(Some(Heard {
            is_cut: true,
            ..heard
        })),
        Err(_) => Ok(None),
    }
}

/// Lines about the model.
pub(super) fn verdicts(config: &ModelConfig, seen: &Seen) -> Vec<Finding> {
    let first = match (&seen.words, &seen.call) {
        (Ok(Some(heard)), _) | (_, Ok(Some(heard))) => heard,
        (Err(error), _) | (_, Err(error)) => return vec![failed(config, error)],
        (Ok(None), Ok(None)) => return vec![silent(config, seen)],
    };
    let (name, ms) = (&config.name, first.first.as_millis());
    let answers = ANSWERS.works(both(
        format!("{name} begins to answer after {ms} ms"),
        format!("{name} 在 {ms} 毫秒后开始应答"),
    ));
    vec![answers, streams(&seen.words), tools(&seen.call)]
}

fn silent(config: &ModelConfig, seen: &Seen) -> Finding {
    let seconds = seen.patience.as_secs();
    ANSWERS
        .unknown(both(
            format!("{} took the request and said nothing for {seconds} s", config.name),
            format!("{} 接受了请求，但 {seconds} 秒内什么也没说", config.name),
        ))
        .symptom(
            "Answers begin late, or say that the model cannot be reached.",
            "回答很晚才开始，或提示连不上模型。",
        )
        .remedy(
            "Try again; a model that thinks that long before its first word will do so for people too. A smaller or nearer model is faster.",
            "请再试一次；模型想这么久才开口，对大家也会如此。更小或更近的模型会更快。",
        )
}

fn failed(config: &ModelConfig, error: &Error) -> Finding {
    let line = ANSWERS.missing(both(format!("{error}"), format!("模型服务：{error}")));
    match error {
        Error::Unauthorized(_) => line
            .symptom(
                "Every answer says that the model's server does not accept the key.",
                "每个回答都提示模型服务不接受密钥。",
            )
            .remedy(
                "Set model.api_key, or NIGHTJAR__MODEL__API_KEY, to a key of that server.",
                "请把 model.api_key 或 NIGHTJAR__MODEL__API_KEY 设为该服务的密钥。",
            ),
        Error::Refused(_) => line
            .symptom(
                "Every answer says that the model's server refused the request.",
                "每个回答都提示模型服务拒绝了请求。",
            )
            .remedy(
                format!(
                    "Check that the server knows a model named \"{}\" (model.name).",
                    config.name
                ),
                format!("请确认该服务有名为“{}”的模型（model.name）。", config.name),
            ),
        Error::Garbled(_) => line
            .symptom("No question is answered.", "问题得不到回答。")
            .remedy(
                "Check model.base_url: it ends before /chat/completions, mostly in /v1.",
                "请检查 model.base_url：它止于 /chat/completions 之前，通常以 /v1 结尾。",
            ),
        Error::TooFast { .. } => line
            .symptom(
                "Answers say that the model's server takes no more requests.",
                "回答提示模型服务暂时不再接受请求。",
            )
            .remedy(
                "Raise the key's rate limit or credit at the model's server, or try again.",
                "请在模型服务处提高该密钥的限额或余额，或稍后再试。",
            ),
        _ => line
            .symptom(
                "Every answer says that the model cannot be reached.",
                "每个回答都提示连不上模型。",
            )
            .remedy(
                "Check model.base_url and that the server runs; a proxy is set with HTTPS_PROXY.",
                "请检查 model.base_url 以及服务是否在运行；代理用 HTTPS_PROXY 设置。",
            ),
    }
}

fn streams(words: &Result<Option<Heard>, Error>) -> Finding {
    match words {
        Ok(Some(heard)) if heard.pieces > 1 => STREAMS.works(both(
            format!("{} pieces", heard.pieces),
            format!("共 {} 段", heard.pieces),
        )),
        Ok(Some(heard)) if heard.pieces == 1 && !heard.is_cut => STREAMS
            .missing(both("the whole answer came at once", "整段回答一次到达"))
            .symptom(
                "Cards stay empty for a long while, and then the whole answer is there.",
                "卡片长时间空白，然后一次显示整个回答。",
            )
            .remedy(
                "Switch streaming on at the model's server, or buffering off at the proxy before it.",
                "请在模型服务处开启流式输出，或关闭其前面代理的缓冲。",
            ),
        Ok(_) => STREAMS.unknown(both("no words came in time", "未能及时收到文字")),
        Err(error) => STREAMS.unknown(both(format!("{error}"), format!("模型服务：{error}"))),
    }
}

fn tools(call: &Result<Option<Heard>, Error>) -> Finding {
    let lacks = |found| {
        TOOLS
            .missing(found)
            .symptom(
                "It answers from the chat alone and looks nothing up.",
                "它只凭聊天内容回答，不去查任何东西。",
            )
            .remedy(
                "Choose a model that calls tools (model.name), and switch that on at the server (with vLLM: --enable-auto-tool-choice).",
                "请选用支持工具调用的模型（model.name），并在服务端开启（vLLM：--enable-auto-tool-choice）。",
            )
    };
    match call {
        Ok(Some(heard)) if heard.called => TOOLS.works(both("it called one", "调用了一个")),
        Ok(Some(heard)) if !heard.is_cut => lacks(both(
            "told to call one, it answered in words",
            "让它调用工具，它却用文字回答",
        )),
        Err(error @ Error::Refused(_)) => {
            lacks(both(format!("{error}"), format!("模型服务：{error}")))
        }
        Ok(_) => TOOLS.unknown(both("it did not come to an end in time", "未能及时完成")),
        Err(error) => TOOLS.unknown(both(format!("{error}"), format!("模型服务：{error}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::finding::Verdict;

    fn heard(pieces: usize, called: bool) -> Result<Option<Heard>, Error> {
        Ok(Some(Heard {
            pieces,
            called,
            anything: true,
            ..Heard::default()
        }))
    }

    fn verdicts_of(
        words: Result<Option<Heard>, Error>,
        call: Result<Option<Heard>, Error>,
    ) -> Vec<Verdict> {
        let seen = Seen {
            words,
            call,
            patience: Duration::from_secs(9),
        };
        let findings = verdicts(&ModelConfig::default(), &seen);
        findings.iter().map(|finding| finding.verdict).collect()
    }

    #[test]
    fn what_a_model_did_is_what_it_can() {
        use Verdict::{Missing, Unknown, Works};
        let down = || Err(Error::Unreachable("Connection refused".into()));
        for (words, call, expected) in [
            (heard(20, false), heard(0, true), vec![Works, Works, Works]),
            (
                heard(1, false),
                heard(3, false),
                vec![Works, Missing, Missing],
            ),
            (heard(20, false), Ok(None), vec![Works, Works, Unknown]),
            (heard(20, false), down(), vec![Works, Works, Unknown]),
            (down(), heard(0, true), vec![Works, Unknown, Works]),
            (down(), down(), vec![Missing]),
            (Ok(None), Ok(None), vec![Unknown]),
        ] {
            assert_eq!(verdicts_of(words, call), expected);
        }
    }
}
