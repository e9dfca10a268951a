//! The envelope that every answer comes in: `{"code":0,"msg":"…","data":{…}}`.
//!
//! `code` is read first and the HTTP status only where there is no code, because the platform sends
//! business errors as 400, 403, 429 or even 200. A few answers are flat, with their result beside `code`.

use serde::{Deserialize, de::DeserializeOwned};
use serde_json::value::RawValue;

use super::{Error, Refusal, error::Limit, http::Answer};

/// The longest piece of the platform's words that is kept.
const MESSAGE_CHARS_MAX: usize = 300;

/// How many changes of one card the platform takes in a second. No other limit has this number.
const CARD_CALLS: u32 = 10;

#[derive(Deserialize)]
struct Envelope<'a> {
    code: i64,
    #[serde(default)]
    msg: Option<String>,
    #[serde(borrow, default)]
    data: Option<&'a RawValue>,
    #[serde(borrow, default)]
    error: Option<&'a RawValue>,
}

/// What the platform adds to a refusal. Newer gateways name a missing scope `subject`, older ones `scope`.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Detail {
    log_id: Option<String>,
    logid: Option<String>,
    permission_violations: Option<Vec<Violation>>,
    helps: Option<Vec<Help>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Violation {
    subject: Option<String>,
    scope: Option<String>,
    url: Option<String>,
}

/// A page that mends what was refused.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Help {
    url: Option<String>,
}

impl Detail {
    /// The first page that is an address; older gateways put it beside the scope.
    fn help(&self) -> Option<String> {
        let helps = self.helps.iter().flatten().map(|help| &help.url);
        let violations = self.permission_violations.iter().flatten();
        let mut urls = helps.chain(violations.map(|violation| &violation.url));
        urls.find_map(|url| url.clone().filter(|url| url.starts_with("https://")))
    }
}

/// Takes the result out of an answer to `api`, or says why there is none. `target` is the limit of what
/// the call was about.
pub(super) fn open<T: DeserializeOwned>(
    api: &'static str,
    flat: bool,
    target: Limit,
    answer: &Answer,
) -> Result<T, Error> {
    let unreadable = || Error::Unreadable {
        api,
        status: answer.status,
        log_id: answer.log_id.clone(),
    };
    let Ok(envelope) = serde_json::from_slice::<Envelope>(&answer.body) else {
        // A proxy's page, or nothing at all. Of these only a "too many requests" can be understood.
        return Err(match answer.status {
            429 => refusal(api, answer, 429, "too many requests", None).into_error(
                429,
                answer.wait,
                target,
            ),
            _ => unreadable(),
        });
    };
    let ok = (200..300).contains(&answer.status);
    match envelope.code {
        0 if !ok => Err(unreadable()),
        0 if flat => serde_json::from_slice(&answer.body).map_err(|_| unreadable()),
        0 => {
            // `null` and nothing mean the same as `{}`.
            let data = envelope.data.map_or("{}", RawValue::get);
            let data = if data == "null" { "{}" } else { data };
            serde_json::from_str(data).map_err(|_| unreadable())
        }
        code => {
            let message = envelope.msg.unwrap_or_default();
            let refusal = refusal(api, answer, code, &message, envelope.error);
            let error = refusal.into_error(answer.status, answer.wait, target);
            Err(about_the_card(error, target, answer.allowed))
        }
    }
}

/// A card's limit is refused in the same words as its API's; only its number tells the two apart.
fn about_the_card(mut error: Error, target: Limit, allowed: Option<u32>) -> Error {
    if let Error::TooFast { limit, .. } = &mut error
        && (target, allowed) == (Limit::Card, Some(CARD_CALLS))
    {
        *limit = Limit::Card;
    }
    error
}

fn refusal(
    api: &'static str,
    answer: &Answer,
    code: i64,
    message: &str,
    detail: Option<&RawValue>,
) -> Refusal {
    let detail: Detail = detail
        .and_then(|detail| serde_json::from_str(detail.get()).ok())
        .unwrap_or_default();
    let log_id = [&answer.log_id, &detail.log_id, &detail.logid];
    Refusal {
        api,
        code,
        // CardKit says its own code once more in its words.
        sub_code: number_after(message, "ErrCode:").filter(|sub_code| *sub_code != code),
        message: without_value(message),
        log_id: log_id.into_iter().flatten().next().cloned(),
        scopes: scopes(code, message, &detail),
        help: detail.help(),
    }
}

fn scopes(code: i64, message: &str, detail: &Detail) -> Vec<String> {
    let named: Vec<String> = detail
        .permission_violations
        .iter()
        .flatten()
        .filter_map(|violation| {
            violation
                .subject
                .clone()
                .or_else(|| violation.scope.clone())
        })
        .filter(|scope| !scope.is_empty())
        .collect();
    if !named.is_empty() {
        return named;
    }
    // Otherwise the sentence itself lists them.
    let list = match code {
        99991672 => message
            .split_once('[')
            .and_then(|(_, rest)| rest.split_once(']')),
        230027 => message
            .split_once("need scope:")
            .map(|(_, list)| (list, "")),
        _ => None,
    };
    let names = list.map_or("", |(list, _)| list).split(',').map(str::trim);
    names
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect()
}

fn number_after(text: &str, mark: &str) -> Option<i64> {
    let (_, rest) = text.split_once(mark)?;
    let rest = rest.trim_start();
    let end = rest
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(rest.len());
    rest[..end].parse().ok()
}

/// The platform's words without the value they may quote, which can be what somebody wrote.
fn without_value(message: &str) -> String {
    let message = message.split("ErrorValue:").next().unwrap_or_default();
    message.trim_end().chars().take(MESSAGE_CHARS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::{Value, json};

    use super::*;

    fn answer(status: u16, body: impl ToString) -> Answer {
        Answer {
            status,
            log_id: None,
            wait: None,
            allowed: None,
            body: body.to_string().into(),
        }
    }

    fn read(flat: bool, answer: &Answer) -> Result<Value, Error> {
        open("test", flat, Limit::Chat, answer)
    }

    #[test]
    fn a_result_is_under_data_or_beside_the_code() {
        let body = json!({"code": 0, "msg": "ok", "data": {"a": 1}, "bot": {"b": 2}});
        assert_eq!(read(false, &answer(200, &body)).unwrap(), json!({"a": 1}));
        assert_eq!(read(true, &answer(200, &body)).unwrap()["bot"]["b"], 2);
    }

    #[test]
    fn no_data_is_empty_data() {
        for body in [json!({"code": 0}), json!({"code": 0, "data": null})] {
            assert_eq!(read(false, &answer(200, body)).unwrap(), json!({}));
        }
    }

    #[test]
    fn the_code_is_read_before_the_status() {
        let error = read(false, &answer(200, json!({"code": 230020, "msg": "slow"}))).unwrap_err();
        assert!(matches!(error, Error::TooFast { .. }), "{error}");
        let error = read(false, &answer(500, json!({"code": 230011, "msg": "gone"}))).unwrap_err();
        assert!(matches!(error, Error::Gone(_)), "{error}");
        let error = read(false, &answer(502, json!({"code": 0}))).unwrap_err();
        assert!(error.is_transient(), "{error}");
    }

    #[test]
    fn a_cards_limit_is_told_from_its_apis_by_its_number() {
        for (target, allowed, expected) in [
            (Limit::Card, Some(10), Limit::Card),
            (Limit::Card, Some(1000), Limit::Api),
            (Limit::Card, None, Limit::Api),
            (Limit::Chat, Some(10), Limit::Api),
        ] {
            let mut slow = answer(429, json!({"code": 99991400, "msg": "slow"}));
            slow.allowed = allowed;
            let error = open::<Value>("test", false, target, &slow).unwrap_err();
            assert!(
                matches!(error, Error::TooFast { limit, .. } if limit == expected),
                "{error}"
            );
        }
    }

    #[test]
    fn what_is_not_json_is_unreadable_and_a_429_still_too_fast() {
        for (status, transient) in [(200, false), (404, false), (502, true)] {
            let error = read(false, &answer(status, "<html>")).unwrap_err();
            assert!(matches!(error, Error::Unreadable { .. }), "{error}");
            assert_eq!(error.is_transient(), transient);
        }
        let mut slow = answer(429, "");
        slow.wait = Some(Duration::from_secs(3));
        let error = read(false, &slow).unwrap_err();
        assert!(matches!(error, Error::TooFast { wait, .. } if wait.as_secs() == 3));
    }

    #[test]
    fn missing_scopes_are_named_in_every_shape_they_come_in() {
        for body in [
            json!({"code": 99991672, "msg": "no", "error": {"permission_violations":
                [{"type": "t", "subject": "im:message"}, {"subject": "im:message:send"}]}}),
            json!({"code": 99991672, "msg": "no", "error": {"permission_violations":
                [{"scope": "im:message", "url": "u"}, {"scope": "im:message:send", "url": "u"}]}}),
            json!({"code": 99991672, "msg": "Access denied. One of the following scopes is required: \
                [im:message, im:message:send]. Click"}),
        ] {
            let error = read(false, &answer(400, body)).unwrap_err();
            assert!(matches!(error, Error::Forbidden(_)));
            let scopes = &error.refusal().unwrap().scopes;
            assert_eq!(scopes, &["im:message", "im:message:send"]);
        }
        let message = "Lack of necessary permissions, ext=need scope: im:message.group_msg";
        let error = read(false, &answer(400, json!({"code": 230027, "msg": message}))).unwrap_err();
        assert_eq!(error.refusal().unwrap().scopes, ["im:message.group_msg"]);
    }

    #[test]
    fn the_page_that_mends_it_is_kept_in_every_shape_it_comes_in() {
        let page = "https://open.feishu.cn/app/cli_a/auth?q=im:message";
        let check = |detail: Value, expected: Option<&str>| {
            let body = json!({"code": 99991672, "msg": "no", "error": detail});
            let error = read(false, &answer(400, body)).unwrap_err();
            assert_eq!(error.refusal().unwrap().help.as_deref(), expected);
        };
        check(
            json!({"helps": [{"url": page, "description": "d"}]}),
            Some(page),
        );
        check(
            json!({"permission_violations": [{"scope": "im:message", "url": page}]}),
            Some(page),
        );
        check(json!({"helps": [{"url": "javascript:alert(1)"}, {}]}), None);
        check(json!({}), None);
    }

    #[test]
    fn a_code_that_is_only_said_twice_hides_nothing() {
        let message = "ErrCode: 200861; ErrMsg: unsupported tag note; ";
        let error = read(false, &answer(400, json!({"code": 200861, "msg": message}))).unwrap_err();
        assert_eq!(error.refusal().unwrap().sub_code, None);
    }

    #[test]
    fn a_log_id_comes_from_the_header_or_from_the_error() {
        let mut answer = answer(
            400,
            json!({"code": 1, "msg": "", "error": {"log_id": "inside"}}),
        );
        let log_id = |answer: &Answer| {
            let error = read(false, answer).unwrap_err();
            error.refusal().unwrap().log_id.clone()
        };
        assert_eq!(log_id(&answer).as_deref(), Some("inside"));
        answer.log_id = Some("header".into());
        assert_eq!(log_id(&answer).as_deref(), Some("header"));
    }

    #[test]
    fn the_hidden_code_is_found_and_the_quoted_value_is_not_kept() {
        let message = "Failed to create card content, ext=ErrCode: 11310; ErrMsg: card table number \
            over limit; ErrorValue: what somebody wrote; ";
        let error = read(false, &answer(400, json!({"code": 230099, "msg": message}))).unwrap_err();
        let refusal = error.refusal().unwrap();
        assert_eq!(refusal.sub_code, Some(11310));
        assert!(refusal.message.ends_with("over limit;"), "{refusal}");
    }

    #[test]
    fn an_odd_error_object_does_not_hide_the_refusal() {
        let body = json!({"code": 230001, "msg": "no", "error": {"permission_violations": "?"}});
        let error = read(false, &answer(400, body)).unwrap_err();
        assert_eq!(error.refusal().unwrap().code, 230001);
    }
}
