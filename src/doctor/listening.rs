//! Listens for events and presses. What that says is told by [`super::arrivals`].
//!
//! The platform gives each event to one of the app's connections, drawn by lot. So an examination from
//! outside opens one of its own only where no bot runs, and hands back everything that is not its own: an
//! event that is answered "failed" comes again, and by then the bot has its connection to itself. A bot
//! that runs is asked instead.

use std::{collections::BTreeSet, net::SocketAddr, time::Duration};

use serde_json::{Value, json};
use tokio::{
    sync::{mpsc, watch},
    time::{Instant, sleep, timeout_at},
};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};

use super::{
    deeds::MARK,
    running::{self, Running},
};
use crate::{
    config::{FeishuConfig, Intake},
    feishu::{
        Answer, Delivery, Event, EventBody,
        ws::{self, Link},
    },
    telemetry::Metrics,
};

/// How long a connection may take to be closed.
const CLOSE_MAX: Duration = Duration::from_secs(4);
/// How long our own reaction's event is waited for.
const ECHO_MAX: Duration = Duration::from_secs(1);
/// How often a running bot is asked whether a press came.
const ASK_EVERY: Duration = Duration::from_millis(300);
/// How many events may wait to be handed back.
const DELIVERIES_MAX: usize = 64;

/// From where one listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Ear {
    /// A bot runs here, and is asked.
    Running(Running),
    /// A bot runs here, and says nothing.
    Mute,
    /// Somebody is connected, and it is not a bot of this configuration on this machine.
    Elsewhere(u64),
    /// No bot runs here, and what is posted to one cannot be heard from here.
    Posted,
    /// Nobody is connected, as far as can be known.
    Own,
}

/// Decides from where to listen.
pub(super) fn ear(
    intake: Intake,
    in_use: bool,
    running: Option<Running>,
    online: Option<u64>,
) -> Ear {
    match (in_use, running, online) {
        (true, Some(running), _) => Ear::Running(running),
        (true, None, _) => Ear::Mute,
        (false, _, _) if !intake.connects() => Ear::Posted,
        (false, _, Some(online)) if online > 0 => Ear::Elsewhere(online),
        (false, _, _) => Ear::Own,
    }
}

/// What was heard so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Heard {
    /// The kinds of the events that came.
    pub(super) kinds: BTreeSet<String>,
    /// Whether the probe's button was pressed.
    pub(super) is_pressed: bool,
    /// How many events were handed back.
    pub(super) handed_back: u32,
}

/// A connection of our own.
pub(super) struct Connection {
    link: watch::Receiver<Link>,
    heard: watch::Receiver<Heard>,
    stop: CancellationToken,
    line: AbortOnDropHandle<()>,
}

impl Connection {
    /// Opens one, and waits until it is up or cannot be.
    pub(super) async fn open(config: &FeishuConfig, mark: &str) -> (Self, Result<(), String>) {
        let (link, watching) = watch::channel(Link::Connecting);
        let (deliver, deliveries) = mpsc::channel(DELIVERIES_MAX);
        let (tell, heard) = watch::channel(Heard::default());
        let stop = CancellationToken::new();
        // To ask where, and to connect there.
        let patience = config.request_timeout + config.connect_timeout;
        let (config, until, mark) = (config.clone(), stop.clone(), mark.to_owned());
        let line = AbortOnDropHandle::new(tokio::spawn(async move {
            let running = ws::run(&config, deliver, link, Metrics::default(), until);
            // How it ended stands in `link`.
            let _ = tokio::join!(running, hear(deliveries, tell, &config.app_id, &mark));
        }));
        let mut connection = Self {
            link: watching,
            heard,
            stop,
            line,
        };
        let opened = connection.opened(patience).await;
        (connection, opened)
    }

    async fn opened(&mut self, patience: Duration) -> Result<(), String> {
        let until = Instant::now() + patience;
        let settled = self
            .link
            .wait_for(|link| matches!(link, Link::Up | Link::Fatal(_)));
        match timeout_at(until, settled).await {
            Ok(Ok(link)) => match &*link {
                Link::Fatal(why) => Err(why.clone()),
                _ => Ok(()),
            },
            _ => Err("no connection within a few seconds".to_owned()),
        }
    }

    /// What was heard by now, once our own doings have had the time to come back.
    pub(super) async fn echo(&mut self) -> Heard {
        let any = self.heard.wait_for(|heard| !heard.kinds.is_empty());
        let _ = timeout_at(Instant::now() + ECHO_MAX, any).await;
        self.heard.borrow().clone()
    }

    /// Waits for a press, and for an event that somebody causes.
    pub(super) async fn wait(&mut self, until: Instant) -> Heard {
        let all = self
            .heard
            .wait_for(|heard| heard.is_pressed && !heard.kinds.is_empty());
        let _ = timeout_at(until, all).await;
        self.heard.borrow().clone()
    }

    /// Closes it, once what was answered is written.
    pub(super) async fn close(self) {
        self.stop.cancel();
        let _ = timeout_at(Instant::now() + CLOSE_MAX, self.line).await;
    }
}

/// Answers what arrives: our own with thanks, everything else "failed", so that it comes again.
async fn hear(
    mut deliveries: mpsc::Receiver<Delivery>,
    tell: watch::Sender<Heard>,
    own: &str,
    mark: &str,
) {
    while let Some(delivery) = deliveries.recv().await {
        let event = Event::decode(&delivery.payload).ok();
        let answer = answer(event.as_ref(), own, mark);
        tell.send_modify(|heard| {
            match &event {
                Some(event) if matches!(event.body, EventBody::Clicked(_)) => {
                    heard.is_pressed |= answer != Answer::Failed;
                }
                Some(event) => drop(heard.kinds.insert(event.kind.clone())),
                None => {}
            }
            heard.handed_back += u32::from(answer == Answer::Failed);
        });
        // A connection that is gone by now has handed it back by that.
        let _ = delivery.answer.send(answer);
    }
}

fn answer(event: Option<&Event>, own: &str, mark: &str) -> Answer {
    match event.map(|event| &event.body) {
        Some(EventBody::Clicked(click)) if is_ours(&click.value, mark) => {
            Answer::DoneWith(thanks())
        }
        // The one that was just tried; the bot makes nothing of its own.
        Some(EventBody::ReactionAdded(reacted) | EventBody::ReactionRemoved(reacted))
            if reacted.operator.is_app && reacted.operator.id == own =>
        {
            Answer::Done
        }
        _ => Answer::Failed,
    }
}

fn is_ours(value: &Value, mark: &str) -> bool {
    match value {
        Value::String(text) => serde_json::from_str::<Value>(text)
            .is_ok_and(|value| value.is_object() && is_ours(&value, mark)),
        value => value.get(MARK).and_then(Value::as_str) == Some(mark),
    }
}

fn thanks() -> Value {
    let (english, chinese) = ("It arrived. Thank you.", "收到了，谢谢。");
    json!({"toast": {
        "type": "success",
        "content": english,
        "i18n": {"en_us": english, "zh_cn": chinese},
    }})
}

/// Waits until a bot that runs has counted another press.
pub(super) async fn wait_for_press(listen: SocketAddr, before: Running, until: Instant) -> Running {
    let mut now = before;
    while now.presses == before.presses && Instant::now() + ASK_EVERY < until {
        sleep(ASK_EVERY).await;
        if let Some(running) = running::ask(listen).await {
            now = running;
        }
    }
    now
}

#[cfg(test)]
mod tests {
    use super::*;

    fn running(is_connected: bool, events: u64, presses: u64) -> Running {
        Running {
            is_connected,
            can_keep: true,
            events,
            presses,
        }
    }

    #[test]
    fn a_connection_of_our_own_is_opened_only_where_nobody_loses_by_it() {
        let bot = running(true, 0, 0);
        for (in_use, running, online, expected) in [
            (true, Some(bot), Some(1), Ear::Running(bot)),
            (true, None, Some(1), Ear::Mute),
            (true, None, None, Ear::Mute),
            (false, None, Some(2), Ear::Elsewhere(2)),
            // Another bot answers at our address, and nobody is connected for this app.
            (false, Some(bot), Some(0), Ear::Own),
            (false, None, Some(0), Ear::Own),
            (false, None, None, Ear::Own),
        ] {
            let intake = Intake::LongConnection;
            assert_eq!(ear(intake, in_use, running, online), expected);
        }
        assert_eq!(ear(Intake::Webhook, false, None, Some(0)), Ear::Posted);
        let running = Ear::Running(bot);
        assert_eq!(ear(Intake::Webhook, true, Some(bot), None), running);
    }

    #[test]
    fn only_our_own_press_is_kept_and_all_else_is_handed_back() {
        let press = |value: Value| {
            let event = json!({"schema": "2.0",
                "header": {"event_id": "e", "event_type": "card.action.trigger", "app_id": "a", "tenant_key": "t"},
                "event": {"operator": {"open_id": "ou_a"}, "action": {"value": value},
                    "context": {"open_message_id": "om_a"}}});
            let event = Event::decode(event.to_string().as_bytes()).unwrap();
            answer(Some(&event), "a", "m1")
        };
        assert_eq!(press(json!({"doctor": "m1"})), Answer::DoneWith(thanks()));
        assert_eq!(
            press(json!("{\"doctor\":\"m1\"}")),
            Answer::DoneWith(thanks())
        );
        assert_eq!(press(json!({"doctor": "m2"})), Answer::Failed);
        assert_eq!(press(json!({"stop": "m1"})), Answer::Failed);
        assert_eq!(press(json!("\"m1\"")), Answer::Failed);
        assert_eq!(answer(None, "a", "m1"), Answer::Failed);
    }
}
