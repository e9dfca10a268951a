//! A press is answered within the platform's three seconds, whatever the disk does.
//!
//! The sandbox is the clock: a client that waits longer shows 200341, and these scenes fail on that.

use std::{
    collections::BTreeMap,
    ops::Bound,
    sync::{Arc, Mutex},
};

use futures::future::join_all;
use nightjar::{
    agent::Model,
    bot::{Bot, Me, Parts, incidents::Incidents},
    config::Config,
    feishu::{Client, ws},
    store::{Answer, Change, Engine, Key, Pair, Store, Value, Write},
    telemetry::Metrics,
    tools,
};
use serde_json::json;
use tokio::{
    sync::{mpsc, watch},
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;

use crate::world::World;

/// A disk that can be made to stall: then nothing is read or written until it goes on.
#[derive(Clone)]
struct Disk {
    pairs: Arc<Mutex<BTreeMap<Key, Value>>>,
    stalls: watch::Sender<bool>,
}

impl Disk {
    fn new() -> Self {
        Self {
            pairs: Arc::default(),
            stalls: watch::Sender::new(false),
        }
    }

    async fn goes_on(&self) {
        let mut stalls = self.stalls.subscribe();
        let _ = stalls.wait_for(|stalls| !stalls).await;
    }

    fn below(&self, prefix: &[u8], after: Option<Key>, limit: usize) -> Vec<Pair> {
        let from = after.map_or(Bound::Included(prefix.to_vec()), Bound::Excluded);
        let pairs = self.pairs.lock().unwrap();
        pairs
            .range((from, Bound::Unbounded))
            .take_while(|(key, _)| key.starts_with(prefix))
            .take(limit)
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect()
    }

    fn perform(&self, write: Write) -> bool {
        let mut pairs = self.pairs.lock().unwrap();
        if let Some((key, expected)) = &write.only_if
            && pairs.get(key) != expected.as_ref()
        {
            return false;
        }
        for change in write.changes {
            match change {
                Change::Put(key, value) => drop(pairs.insert(key, value)),
                Change::Delete(key) => drop(pairs.remove(&key)),
                Change::DeletePrefix(prefix) => pairs.retain(|key, _| !key.starts_with(&prefix)),
            }
        }
        true
    }
}

impl Engine for Disk {
    fn get(&self, key: Key) -> Answer<'_, Option<Value>> {
        Box::pin(async move {
            self.goes_on().await;
            Ok(self.pairs.lock().unwrap().get(&key).cloned())
        })
    }

    fn get_with(&self, key: Key, below: Key) -> Answer<'_, (Option<Value>, Vec<Pair>)> {
        Box::pin(async move {
            self.goes_on().await;
            let value = self.pairs.lock().unwrap().get(&key).cloned();
            Ok((value, self.below(&below, None, usize::MAX)))
        })
    }

    fn scan(&self, prefix: Key, after: Option<Key>, limit: usize) -> Answer<'_, Vec<Pair>> {
        Box::pin(async move {
            self.goes_on().await;
            Ok(self.below(&prefix, after, limit))
        })
    }

    fn write(&self, write: Write) -> Answer<'_, bool> {
        Box::pin(async move {
            self.goes_on().await;
            Ok(self.perform(write))
        })
    }

    fn flush(&self) -> Answer<'_, ()> {
        Box::pin(async { Ok(()) })
    }

    fn is_writable(&self) -> bool {
        true
    }

    fn size_bytes(&self) -> Answer<'_, u64> {
        Box::pin(async { Ok(0) })
    }

    fn close(&self) -> Answer<'_, ()> {
        Box::pin(async { Ok(()) })
    }
}

/// A bot over a disk of ours.
struct Patient {
    stop: CancellationToken,
    work: JoinHandle<()>,
}

impl Patient {
    async fn start(world: &World, disk: &Disk) -> Self {
        let config = Config::parse("the test", &world.config_text(), []).unwrap();
        let metrics = Metrics::default();
        let feishu = Client::new(&config.feishu, metrics.clone()).unwrap();
        let (deliver, deliveries) = mpsc::channel(64);
        let (link, _) = watch::channel(ws::Link::Connecting);
        let stop = CancellationToken::new();
        let until = stop.clone();
        let (settings, numbers) = (config.feishu.clone(), metrics.clone());
        tokio::spawn(async move { ws::run(&settings, deliver, link, numbers, until).await });
        let who = feishu.bot_info().await.unwrap();
        let me = Me {
            open_id: who.open_id,
            app_id: feishu.app_id().to_owned(),
            name: who.name,
        };
        let store = Store::over(disk.clone());
        let opened = Incidents::open(&store, &config, metrics.clone()).await;
        let (incidents, keeper) = opened.unwrap();
        tokio::spawn(keeper.run(stop.clone()));
        let parts = Parts {
            feishu,
            me,
            store,
            incidents,
            model: Model::new(&config.model, metrics.clone()).unwrap(),
            toolbox: tools::built_in(),
            metrics,
        };
        let bot = Bot::new(parts, &config);
        let work = tokio::spawn(async move { bot.run(deliveries).await.unwrap() });
        world.connected().await;
        Self { stop, work }
    }

    async fn stop(self) {
        self.stop.cancel();
        self.work.await.unwrap();
    }
}

#[tokio::test]
async fn a_press_is_answered_in_time_while_the_disk_stalls_and_done_when_it_goes_on() {
    let (world, disk) = (World::without_bot("").await, Disk::new());
    let bot = Patient::start(&world, &disk).await;
    let (chat, user) = world.room().await;
    world
        .model_says(json!([
            { "match": "slow", "text": "It is the DNS." },
            { "match": "more", "text": "Reading", "hang": true },
            { "match": "slow", "text": "It is the pool." },
            { "text": "Hello." },
        ]))
        .await;
    let question = world.asks(&chat, &user, "why is it slow?").await;
    let answer = world.answer_to(&question).await;
    let other = world.group("another room", &[&user]).await;
    let running = world.asks(&other, &user, "tell me more").await;
    let card = world.showing(&running, "Reading").await;

    disk.stalls.send_replace(true);
    // These fill what waits for the disk; none of them may hold up a press.
    let third = world.group("a third room", &[&user]).await;
    for n in 0..10 {
        world.asks(&third, &user, &format!("hello {n}")).await;
    }
    let (toast, stopped, forged) = tokio::join!(
        world.presses(&user, &answer, "↻ Regenerate"),
        world.presses(&user, &card, "Stop"),
        world.presses(&user, &answer, "👍"),
    );
    assert!(toast.contains("takes longer"), "{toast}");
    assert_eq!(stopped, "Stopping.");
    assert!(forged.contains("takes longer"), "{forged}");
    assert_eq!(world.calls("POST", "/interactive/v1/card/update").await, 0);

    disk.stalls.send_replace(false);
    // What was asked for is done, and the card of the press says so by the press's own token.
    world.showing(&question, "It is the pool.").await;
    world
        .until("the old card says so", async || {
            let old = world.message(&answer.message_id).await;
            old.text
                .contains("Li Lei asked for a new answer")
                .then_some(())
        })
        .await;
    assert_eq!(world.calls("POST", "/interactive/v1/card/update").await, 1);
    bot.stop().await;
}

#[tokio::test]
async fn a_press_on_top_of_too_many_is_told_so_at_once_and_later_ones_are_taken() {
    // As many as `bot::click` works on at once.
    const AT_ONCE: usize = 64;
    let (world, disk) = (World::without_bot("").await, Disk::new());
    let bot = Patient::start(&world, &disk).await;
    let (chat, user) = world.room().await;
    let question = world.asks(&chat, &user, "why is it slow?").await;
    let answer = world.answer_to(&question).await;

    disk.stalls.send_replace(true);
    let presses = (0..AT_ONCE).map(|_| world.presses(&user, &answer, "👍"));
    for toast in join_all(presses).await {
        assert!(toast.contains("takes longer"), "{toast}");
    }
    let toast = world.presses(&user, &answer, "👍").await;
    assert!(toast.contains("Too many buttons"), "{toast}");

    disk.stalls.send_replace(false);
    // Each that was taken is carried out in its turn, so there is room once one of them is.
    world
        .until("a press is taken again", async || {
            let toast = world.presses(&user, &answer, "👍").await;
            toast.starts_with("Thank you").then_some(())
        })
        .await;
    bot.stop().await;
}
