//! What every platform call passes: trouble on order, token, quota, limits, and the log.

use std::time::Instant;

use axum::{
    Json,
    extract::{MatchedPath, Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode},
    middleware::Next,
    response::{IntoResponse, Response},
};
use serde_json::json;

use super::super::{app, calls::Call, hub::Hub, limits::Rule, refusal::Refusal, server::Cord};

/// One call under way.
struct Visit {
    at_ms: i64,
    started: Instant,
    method: Method,
    path: String,
    log_id: String,
}

/// What the trouble on order does to a call.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Trouble {
    None,
    /// HTTP 500; nothing was done.
    Error,
    /// The connection breaks; nothing was done.
    LostRequest,
    /// It was done, and the connection breaks: why sends carry a `uuid`.
    LostAnswer,
}

/// The gate before the API.
pub(super) async fn gate(State(hub): State<Hub>, request: Request, next: Next) -> Response {
    let visit = Visit::begin(&hub, &request);
    let cord = request.extensions().get::<Cord>().cloned();
    let mut trouble = trouble(&hub).await;
    let response = match trouble {
        Trouble::Error => Refusal::new(2200, "Internal Error")
            .http(500)
            .into_response(),
        Trouble::LostRequest => return visit.break_off(&hub, cord).await,
        Trouble::None | Trouble::LostAnswer => match on_order(&hub, request).await {
            Ok((request, loses_answer)) => {
                if loses_answer {
                    trouble = Trouble::LostAnswer;
                }
                match admit(&hub, &request) {
                    Ok(()) => next.run(request).await,
                    Err(refusal) => refusal.into_response(),
                }
            }
            Err(refusal) => refusal.into_response(),
        },
    };
    if trouble == Trouble::LostAnswer {
        return visit.break_off(&hub, cord).await;
    }
    visit.finish(&hub, response, trouble == Trouble::Error)
}

/// For the long connection's discovery, which has no token, no limits, and its own trouble.
pub(in crate::sandbox) async fn log_only(
    State(hub): State<Hub>,
    request: Request,
    next: Next,
) -> Response {
    // The upgrade is no call, and `GET /sandbox/deliveries` tells of connections.
    if request.method() == Method::GET {
        return next.run(request).await;
    }
    let visit = Visit::begin(&hub, &request);
    let response = next.run(request).await;
    visit.finish(&hub, response, false)
}

/// Waits as long as ordered, and says what goes wrong.
async fn trouble(hub: &Hub) -> Trouble {
    let delay = hub.faults.delay();
    if !delay.is_zero() {
        tokio::time::sleep(delay).await;
    }
    if !hub.faults.chance(hub.faults.get().error_rate) {
        return Trouble::None;
    }
    // Half of the failures are answered, the others are not.
    match (hub.faults.chance(0.5), hub.faults.chance(0.5)) {
        (true, _) => Trouble::Error,
        (false, true) => Trouble::LostRequest,
        (false, false) => Trouble::LostAnswer,
    }
}

/// The request and whether its answer is to be lost, or the refusal that was ordered for it. Bodies are read
/// only when there are such orders.
async fn on_order(hub: &Hub, request: Request) -> Result<(Request, bool), Refusal> {
    if !hub.faults.refuses() {
        return Ok((request, false));
    }
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, super::BODY_MAX)
        .await
        .unwrap_or_default();
    let (method, path) = (parts.method.as_str(), parts.uri.path());
    let text = String::from_utf8_lossy(&body);
    match hub.faults.take_refusal(method, path, &text) {
        None => Ok((Request::from_parts(parts, body.into()), false)),
        Some(order) if order.lose_answer => Ok((Request::from_parts(parts, body.into()), true)),
        Some(order) => {
            let msg = order.msg.unwrap_or_else(|| "refused on order".to_owned());
            Err(Refusal::new(order.code, msg).http(order.status))
        }
    }
}

/// Token, quota, limits. A path that does not exist is let through to be told so.
fn admit(hub: &Hub, request: &Request) -> Result<(), Refusal> {
    let Some(route) = request.extensions().get::<MatchedPath>() else {
        return Ok(());
    };
    let route = route.as_str();
    let api = format!("{} {route}", request.method());
    // Tokens are asked for without a token, and do not count against the quota.
    let is_auth = route.starts_with("/open-apis/auth/");
    if !is_auth {
        let authorization = header(request.headers(), "authorization");
        hub.act(|world, now_ms| world.tokens.check(authorization, now_ms))?;
        if !hub.faults.take_quota() {
            return Err(Refusal::new(
                99_991_403,
                "This month's API call quota has been exceeded.",
            ));
        }
    }
    let [second, minute] = Rule::api(&api);
    hub.act(|world, now_ms| world.limits.take(&[Rule::app(), second, minute], now_ms))
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

impl Visit {
    fn begin(hub: &Hub, request: &Request) -> Self {
        let at_ms = hub.clock.now_ms();
        let noise = hub.act(|world, _| app::hex(&mut world.log_random, 18).to_uppercase());
        let time = jiff::Timestamp::from_millisecond(at_ms).unwrap_or_default();
        Self {
            at_ms,
            started: Instant::now(),
            method: request.method().clone(),
            path: request.uri().path().to_owned(),
            log_id: format!("{}{noise}", time.strftime("%Y%m%d%H%M%S")),
        }
    }

    /// Writes refusals down in the platform's envelope, and every call into the log.
    fn finish(self, hub: &Hub, mut response: Response, is_fault: bool) -> Response {
        let refusal = response.extensions_mut().remove::<Refusal>();
        let mut code = 0;
        let mut refused_by = is_fault.then_some("fault");
        if let Some(refusal) = refusal {
            code = refusal.code;
            refused_by = refused_by.or_else(|| refused_by_of(&refusal));
            response = self.refused(refusal);
        } else if !response.status().is_success() {
            // An answer that is not ours, such as axum's own to a body that is too long.
            code = i64::from(response.status().as_u16());
        }
        self.record(hub, response.status().as_u16(), code, refused_by);
        if let Some(date) = date(hub) {
            response.headers_mut().insert("date", date);
        }
        if let Ok(log_id) = HeaderValue::from_str(&self.log_id) {
            response.headers_mut().insert("x-tt-logid", log_id);
        }
        response
    }

    fn refused(&self, refusal: Refusal) -> Response {
        let mut error = refusal.detail;
        error["log_id"] = json!(self.log_id);
        error["troubleshooter"] = json!(format!(
            "排查建议查看(Troubleshooting suggestions): https://open.feishu.cn/search?code={}&log_id={}",
            refusal.code, self.log_id
        ));
        let body = json!({"code": refusal.code, "msg": refusal.msg, "error": error});
        let status = StatusCode::from_u16(refusal.http).unwrap_or(StatusCode::BAD_REQUEST);
        let mut response = (status, Json(body)).into_response();
        // Only the gateway's own limits come with headers; 230020 says no more than itself.
        if let Some(limit) = refusal.limit.filter(|_| refusal.http == 429) {
            let headers = response.headers_mut();
            headers.insert("x-ogw-ratelimit-limit", HeaderValue::from(limit.allowed));
            headers.insert("x-ogw-ratelimit-reset", HeaderValue::from(limit.wait_s));
        }
        response
    }

    fn record(&self, hub: &Hub, http: u16, code: i64, refused_by: Option<&'static str>) {
        hub.calls.record(Call {
            at_ms: self.at_ms,
            method: self.method.to_string(),
            path: self.path.clone(),
            http,
            code,
            // To the microsecond; more would be noise.
            duration_ms: self.started.elapsed().as_micros() as f64 / 1000.0,
            refused_by,
        });
    }

    /// Breaks the connection. Only where there is none to break, in a test, is anything answered.
    async fn break_off(self, hub: &Hub, cord: Option<Cord>) -> Response {
        self.record(hub, 0, -1, Some("fault"));
        if let Some(cord) = cord {
            cord.pull();
            std::future::pending::<()>().await;
        }
        StatusCode::BAD_GATEWAY.into_response()
    }
}

/// The time as the platform tells it: by the sandbox's clock, and as wrong as was ordered.
fn date(hub: &Hub) -> Option<HeaderValue> {
    let now_ms = hub.clock.now_ms();
    let told_ms = now_ms.saturating_add(hub.faults.get().date_skew_ms);
    let told = jiff::Timestamp::from_millisecond(told_ms).ok()?;
    let text = told.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
    HeaderValue::from_str(&text).ok()
}

fn refused_by_of(refusal: &Refusal) -> Option<&'static str> {
    let limit = refusal.limit.as_ref().map(|limit| limit.name);
    limit.or(match refusal.code {
        99_991_403 => Some("quota"),
        99_991_672 | 230_027 => Some("scope"),
        _ => None,
    })
}
