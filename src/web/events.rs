//! `/feishu/events` and `/feishu/cards`: what the platform posts, answered within its three seconds.
//!
//! What is believed is handed to the bot over the same bounded queue as what comes over the long
//! connection. An event that finds no room, or whose answer does not come in time, is answered with an
//! error and comes again; a press of a button does not come again, so the one who pressed is told that it
//! takes longer.

use std::{sync::Arc, time::Duration};

use axum::{
    Json, Router,
    extract::{Request, State},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::post,
};
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::{
    sync::{
        mpsc::{WeakSender, error::TrySendError},
        oneshot,
    },
    time::{Instant, timeout_at},
};
use tracing::{debug, warn};

use super::{
    body::{self, Unread, header},
    throttle::Throttle,
};
use crate::{
    bot::late,
    feishu::{
        Answer, Delivery,
        webhook::{self, Posted, Refusal, Taken, Wants, Webhook},
    },
    telemetry::{Metrics, ReasonLabels},
};

/// The most bytes of a body. A message has 150 KB at most, and encryption makes a third more of it.
const BODY_BYTES_MAX: usize = 1 << 20;
/// When the answer is on its way at the latest. The platform gives up after 3 seconds.
const ANSWER_WITHIN: Duration = Duration::from_millis(2500);

/// Takes what is posted. Clones are the same.
#[derive(Clone)]
pub struct Posts(Arc<Desk>);

struct Desk {
    /// None where events come over the long connection only.
    webhook: Option<Webhook>,
    /// To the bot. Weak, because the bot's end is the end of what it is sent.
    deliveries: WeakSender<Delivery>,
    metrics: Metrics,
    said: Throttle,
}

/// Why there is no good answer.
enum Trouble {
    /// It was not taken.
    Refused(Refusal),
    /// The bot has no room for it.
    NoRoom,
    /// The bot could not keep it.
    NotKept,
    /// The bot did not answer in time.
    Late,
}

impl Posts {
    /// Hands what `webhook` believes to whoever receives `deliveries`. Without a webhook nothing is taken.
    pub fn new(
        webhook: Option<Webhook>,
        deliveries: WeakSender<Delivery>,
        metrics: Metrics,
    ) -> Self {
        Self(Arc::new(Desk {
            webhook,
            deliveries,
            metrics,
            said: Throttle::default(),
        }))
    }
}

/// The two addresses of the developer console. Either takes what belongs to the other.
pub(super) fn router(posts: Posts) -> Router {
    Router::new()
        .route("/feishu/events", post(take))
        .route("/feishu/cards", post(take))
        .with_state(posts)
}

async fn take(State(posts): State<Posts>, request: Request) -> Response {
    let desk = &posts.0;
    let Some(webhook) = &desk.webhook else {
        return desk.not_here();
    };
    let received_at = Instant::now();
    match desk.answer(webhook, request, received_at).await {
        Ok(body) => Json(body).into_response(),
        Err(trouble) => desk.refuse(trouble),
    }
}

impl Desk {
    async fn answer(
        &self,
        webhook: &Webhook,
        request: Request,
        received_at: Instant,
    ) -> Result<Value, Trouble> {
        let answer_by = received_at + ANSWER_WITHIN;
        let (head, body) = request.into_parts();
        let body = body::read(&head.headers, body, BODY_BYTES_MAX);
        let body = timeout_at(answer_by, body).await;
        let body = body.unwrap_or(Err(Unread::HungUp)).map_err(refusal_of)?;
        let request = webhook::Request {
            timestamp: header(&head.headers, "x-lark-request-timestamp"),
            nonce: header(&head.headers, "x-lark-request-nonce"),
            signature: header(&head.headers, "x-lark-signature"),
            body: &body,
        };
        match webhook.read(&request, Timestamp::now())? {
            Posted::Challenge(challenge) => {
                debug!("the platform asked whether this address is ours");
                Ok(json!({ "challenge": challenge }))
            }
            Posted::Repetition => Ok(success()),
            Posted::Event(taken) => self.hand_over(taken, received_at, answer_by).await,
        }
    }

    async fn hand_over(
        &self,
        taken: Taken,
        received_at: Instant,
        answer_by: Instant,
    ) -> Result<Value, Trouble> {
        let Taken {
            payload,
            wants,
            claim,
        } = taken;
        let (answer, answered) = oneshot::channel();
        let delivery = Delivery {
            payload,
            received_at,
            answer,
        };
        let Some(deliveries) = self.deliveries.upgrade() else {
            return Err(Trouble::NoRoom);
        };
        match deliveries.try_send(delivery) {
            Ok(()) => drop(deliveries),
            Err(TrySendError::Full(_) | TrySendError::Closed(_)) => return Err(Trouble::NoRoom),
        }
        let answered = timeout_at(answer_by, answered);
        if wants == Wants::Acknowledgement {
            let answer = answered.await.map_err(|_| Trouble::Late)?;
            return match answer {
                Ok(Answer::Done | Answer::DoneWith(_)) => {
                    claim.accept();
                    self.acknowledged(received_at);
                    Ok(success())
                }
                Ok(Answer::Failed) | Err(_) => Err(Trouble::NotKept),
            };
        }
        // From here on the press is being worked on, and must not be a second time.
        claim.accept();
        let reply = match answered.await {
            Ok(Ok(Answer::DoneWith(reply))) => reply,
            Ok(Ok(Answer::Done)) => json!({}),
            Ok(Ok(Answer::Failed) | Err(_)) => return Err(Trouble::NotKept),
            Err(_) => {
                self.note("late");
                late::reply()
            }
        };
        self.acknowledged(received_at);
        Ok(match wants {
            Wants::OldReply => webhook::old_reply(reply),
            Wants::Reply | Wants::Acknowledgement => reply,
        })
    }

    fn acknowledged(&self, received_at: Instant) {
        let took = received_at.elapsed().as_secs_f64();
        self.metrics.event_ack_seconds.observe(took);
    }

    /// The answer says nothing of the reason but its status: who asks may be anybody.
    fn refuse(&self, trouble: Trouble) -> Response {
        let (status, reason) = match trouble {
            Trouble::Refused(refusal) => (refusal.status(), refusal.reason()),
            Trouble::NoRoom => (503, "no_room"),
            Trouble::NotKept => (500, "not_kept"),
            Trouble::Late => (500, "late"),
        };
        let kept_back = self.note(reason);
        match (trouble, kept_back) {
            (_, None) => {}
            (Trouble::Refused(refusal), Some(kept_back)) => {
                warn!(reason, kept_back, "a posted request was refused: {refusal}");
            }
            (_, Some(kept_back)) => {
                warn!(
                    reason,
                    kept_back,
                    "a posted event could not be kept in time; the platform will repeat it"
                );
            }
        }
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
        (status, Json(json!({"msg": "not taken"}))).into_response()
    }

    /// Counts it, and says whether the log may tell of it.
    fn note(&self, reason: &'static str) -> Option<u64> {
        let labels = ReasonLabels { reason };
        self.metrics.webhook_refusals.get_or_create(&labels).inc();
        self.said.may_say(reason, Instant::now())
    }

    /// Whoever posts here has the console set to something that we are not.
    fn not_here(&self) -> Response {
        if let Some(kept_back) = self.note("not_webhook_mode") {
            warn!(
                kept_back,
                "something is posted to the webhook address while `feishu.events` is \"long_connection\": if it is the \
                 platform, set it to \"webhook\", or choose the long connection in the developer console"
            );
        }
        (StatusCode::NOT_FOUND, Json(json!({"msg": "not taken"}))).into_response()
    }
}

impl From<Refusal> for Trouble {
    fn from(refusal: Refusal) -> Self {
        Trouble::Refused(refusal)
    }
}

fn refusal_of(unread: Unread) -> Refusal {
    match unread {
        Unread::TooLarge => Refusal::TooLarge,
        Unread::HungUp => Refusal::TooSlow,
    }
}

/// What the vendor's SDKs answer. The platform looks at the status only.
fn success() -> Value {
    json!({"msg": "success"})
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use bytes::Bytes;
    use tokio::sync::mpsc;
    use tower::ServiceExt;

    use super::*;
    use crate::config::FeishuConfig;

    const TOKEN: &str = "v-token";

    /// The routes, and where what they take comes out.
    fn desk(
        webhook: bool,
    ) -> (
        Router,
        mpsc::Sender<Delivery>,
        mpsc::Receiver<Delivery>,
        Metrics,
    ) {
        let config = FeishuConfig {
            verification_token: TOKEN.into(),
            ..FeishuConfig::default()
        };
        let (deliver, deliveries) = mpsc::channel(1);
        let metrics = Metrics::default();
        let webhook = webhook.then(|| Webhook::new(&config));
        let posts = Posts::new(webhook, deliver.downgrade(), metrics.clone());
        (router(posts), deliver, deliveries, metrics)
    }

    fn event(kind: &str) -> Vec<u8> {
        json!({"schema": "2.0", "header": {"event_id": "e", "event_type": kind, "token": TOKEN}, "event": {}})
            .to_string()
            .into_bytes()
    }

    async fn posted(router: &Router, path: &str, body: Vec<u8>) -> (u16, Value) {
        let request = Request::post(path).body(Body::from(body)).unwrap();
        let answer = router.clone().oneshot(request).await.unwrap();
        let status = answer.status().as_u16();
        let body = axum::body::to_bytes(answer.into_body(), 1 << 20)
            .await
            .unwrap();
        (status, serde_json::from_slice(&body).unwrap_or_default())
    }

    /// Answers the next delivery; without an answer, drops it.
    fn answering(
        mut deliveries: mpsc::Receiver<Delivery>,
        answer: Option<Answer>,
    ) -> tokio::task::JoinHandle<mpsc::Receiver<Delivery>> {
        tokio::spawn(async move {
            let delivery = deliveries.recv().await.unwrap();
            if let Some(answer) = answer {
                let _ = delivery.answer.send(answer);
            }
            deliveries
        })
    }

    #[tokio::test]
    async fn the_bot_s_answer_is_the_answer() {
        let toast = json!({"toast": {"type": "info", "content": "ok"}});
        for (kind, answer, expected) in [
            ("im.a", Some(Answer::Done), (200, success())),
            (
                "im.a",
                Some(Answer::Failed),
                (500, json!({"msg": "not taken"})),
            ),
            ("im.a", None, (500, json!({"msg": "not taken"}))),
            (
                "card.action.trigger",
                Some(Answer::DoneWith(toast.clone())),
                (200, toast),
            ),
            ("card.action.trigger", Some(Answer::Done), (200, json!({}))),
        ] {
            let (router, _deliver, deliveries, _) = desk(true);
            let bot = answering(deliveries, answer);
            assert_eq!(
                posted(&router, "/feishu/cards", event(kind)).await,
                expected
            );
            bot.await.unwrap();
        }
    }

    #[tokio::test]
    async fn what_finds_no_room_comes_again() {
        let (router, deliver, _deliveries, metrics) = desk(true);
        let (answer, _answered) = oneshot::channel();
        let payload = Bytes::new();
        let received_at = Instant::now();
        let filling = Delivery {
            payload,
            received_at,
            answer,
        };
        deliver.try_send(filling).unwrap();
        assert_eq!(
            posted(&router, "/feishu/events", event("im.a")).await.0,
            503
        );
        assert!(
            metrics
                .render()
                .contains("webhook_refusals_total{reason=\"no_room\"} 1")
        );
        // The bot has left.
        drop(deliver);
        assert_eq!(
            posted(&router, "/feishu/events", event("im.a")).await.0,
            503
        );
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_waits_longer_than_the_platform_does() {
        let (router, _deliver, mut deliveries, _) = desk(true);
        let began = Instant::now();
        let (status, _) = posted(&router, "/feishu/events", event("im.a")).await;
        assert_eq!(status, 500, "it comes again");
        drop(deliveries.recv().await);
        let (status, reply) = posted(&router, "/feishu/cards", event("card.action.trigger")).await;
        assert_eq!((status, &reply["toast"]["type"]), (200, &json!("info")));
        assert!(began.elapsed() < Duration::from_secs(6));
        // A body that never ends.
        let body = Body::from_stream(futures::stream::pending::<Result<Bytes, std::io::Error>>());
        let request = Request::post("/feishu/events").body(body).unwrap();
        let answer = router.oneshot(request).await.unwrap();
        assert_eq!(answer.status(), 408);
    }

    #[tokio::test]
    async fn a_body_is_measured_whether_its_length_was_announced_or_not() {
        let (router, _deliver, _deliveries, _) = desk(true);
        let long = vec![b' '; BODY_BYTES_MAX + 1];
        assert_eq!(posted(&router, "/feishu/events", long.clone()).await.0, 413);
        let parts = futures::stream::iter(
            long.chunks(9999)
                .map(<[u8]>::to_vec)
                .map(Ok::<_, std::io::Error>)
                .collect::<Vec<_>>(),
        );
        let request = Request::post("/feishu/events")
            .body(Body::from_stream(parts))
            .unwrap();
        assert_eq!(router.oneshot(request).await.unwrap().status(), 413);
    }

    #[tokio::test]
    async fn without_webhook_mode_there_is_nothing_to_post_to() {
        let (router, _deliver, _deliveries, metrics) = desk(false);
        assert_eq!(
            posted(&router, "/feishu/events", event("im.a")).await.0,
            404
        );
        assert!(metrics.render().contains("not_webhook_mode"));
    }
}
