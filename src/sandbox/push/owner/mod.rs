//! The task that owns the connections and the events under way.
//!
//! It never waits for a socket: what it sends goes into the connection's own bounded queue, and a
//! client that lets that fill up misses the event, which then comes again like any other that was
//! not acknowledged.

mod deliver;

use std::{collections::BTreeMap, future, time::Duration};

use hyper::upgrade::OnUpgrade;
use tokio::{
    sync::{mpsc, oneshot, watch},
    task::{Id, JoinSet},
    time::timeout,
};
use tokio_tungstenite::tungstenite::Message;
use tokio_util::sync::CancellationToken;
use tracing::info;

use super::{
    super::{clock::Clock, faults::Faults},
    connection::{self, Fate, Line, News, Report},
    failure::Failure,
    http::Refusal,
    outbox::{Item, Outbox},
    records::Records,
    ticket::{Ticket, Tickets},
    webhook::Webhook,
};
use deliver::Posted;

/// Connections an app may have at once (long connection guide).
const CONNECTIONS_MAX: usize = 50;
/// Attempts that may wait for one socket to take them.
const OUTGOING_MAX: usize = 256;
/// News of connections that may wait for the owner; a connection with more waits.
const REPORTS_MAX: usize = 1_024;
/// For the closing handshakes at the end.
const END_WITHIN: Duration = Duration::from_secs(2);

/// An order to the owner.
#[derive(Debug)]
pub(super) enum Command {
    /// Deliver this.
    Push(Item),
    /// Discovery wants a ticket.
    IssueTicket(oneshot::Sender<Ticket>),
    /// Someone wants to connect.
    Open {
        /// The URL's query.
        ticket: Ticket,
        /// Becomes the socket once the refusal or the 101 is written.
        upgrade: OnUpgrade,
        /// Tells the handler which of the two to write.
        reply: oneshot::Sender<Result<(), Refusal>>,
    },
}

/// The owner's side of a connection.
#[derive(Debug)]
struct Connection {
    device_id: String,
    task: Id,
    /// The upgrade is done and no end was ordered.
    up: bool,
    outgoing: mpsc::Sender<Vec<Message>>,
    fate: watch::Sender<Fate>,
}

impl Connection {
    fn is_healthy(&self) -> bool {
        self.up && *self.fate.borrow() == Fate::Live
    }
}

/// All that the task holds.
#[derive(Debug)]
pub(super) struct Owner {
    clock: Clock,
    faults: Faults,
    records: Records,
    webhook: Webhook,
    up: watch::Sender<usize>,
    random: fastrand::Rng,
    /// One number for the app, as the real `service_id` is.
    service: i32,
    tickets: Tickets,
    outbox: Outbox,
    connections: BTreeMap<u64, Connection>,
    tasks: JoinSet<()>,
    /// What is being posted.
    posts: JoinSet<Posted>,
    next_connection: u64,
    next_seq_id: u64,
}

impl Owner {
    /// An owner of nothing yet.
    pub(super) fn new(
        clock: Clock,
        faults: Faults,
        records: Records,
        webhook: Webhook,
        up: watch::Sender<usize>,
        seed: u64,
    ) -> Self {
        let mut random = fastrand::Rng::with_seed(seed ^ 0x0070_7573_685f_7773);
        Self {
            clock,
            faults,
            records,
            webhook,
            up,
            service: random.i32(10_000_000..100_000_000),
            random,
            tickets: Tickets::default(),
            outbox: Outbox::default(),
            connections: BTreeMap::new(),
            tasks: JoinSet::new(),
            posts: JoinSet::new(),
            next_connection: 1,
            next_seq_id: 1,
        }
    }

    /// Works until nobody can give orders any more, or `stop`; then closes every connection.
    pub(super) async fn run(mut self, mut inbox: mpsc::Receiver<Command>, stop: CancellationToken) {
        let (reporter, mut reports) = mpsc::channel(REPORTS_MAX);
        let mut faults = self.faults.changes();
        // What was set before this task first ran is news as well.
        faults.mark_changed();
        loop {
            let clock = self.clock.clone();
            let next_ms = self.outbox.next_ms();
            tokio::select! {
                () = stop.cancelled() => break,
                order = inbox.recv() => match order {
                    Some(command) => {
                        // Trouble that was set before the order must meet the order.
                        self.notice(&mut faults);
                        self.obey(command, &reporter);
                    }
                    // The last handle is gone, and with it the reason to be here.
                    None => break,
                },
                // `reporter` is ours, so this never ends.
                Some(report) = reports.recv() => self.hear(report),
                // A connection has ended, from whichever side. With none, this arm sleeps.
                Some(ended) = self.tasks.join_next_with_id() => self.ended(match ended {
                    Ok((task, ())) => task,
                    Err(error) => error.id(),
                }),
                // A post was answered, or was not. A panic in one has been printed; its item is late in time.
                Some(posted) = self.posts.join_next() => if let Ok(posted) = posted {
                    self.posted(posted);
                },
                // The sender lives in `self.faults`, so this cannot fail.
                _ = faults.changed() => self.make_trouble(),
                // An event is due, or one was not acknowledged in time.
                () = reached(&clock, next_ms) => self.work_off(),
            }
        }
        // Connections that are about to report find nobody instead of waiting.
        drop(reports);
        self.close_all().await;
        // Last, since `Push::stop` waits for the inbox to close.
        drop(inbox);
    }

    fn notice(&mut self, faults: &mut watch::Receiver<()>) {
        if faults.has_changed().unwrap_or(false) {
            faults.mark_unchanged();
            self.make_trouble();
        }
    }

    async fn close_all(mut self) {
        for connection in self.connections.values() {
            connection.fate.send_replace(Fate::Closed);
        }
        let all = async { while self.tasks.join_next().await.is_some() {} };
        if timeout(END_WITHIN, all).await.is_err() {
            self.tasks.shutdown().await;
        }
    }

    fn obey(&mut self, command: Command, reporter: &mpsc::Sender<Report>) {
        match command {
            Command::Push(item) => self.take_in(item),
            Command::IssueTicket(reply) => {
                let ticket = self.tickets.issue(&mut self.random, self.service);
                // The client may have gone meanwhile; its ticket is forgotten in time.
                let _ = reply.send(ticket);
            }
            Command::Open {
                ticket,
                upgrade,
                reply,
            } => {
                let admitted = self.admit(&ticket);
                let accepted = admitted.is_ok();
                // When the client has gone meanwhile, the upgrade never comes and its task ends.
                let _ = reply.send(admitted);
                if accepted {
                    self.open(ticket.device_id, upgrade, reporter.clone());
                }
            }
        }
    }

    fn admit(&mut self, ticket: &Ticket) -> Result<(), Refusal> {
        if !self.tickets.redeem(ticket) {
            Err(Refusal::BadTicket)
        } else if self.connections.len() >= CONNECTIONS_MAX {
            Err(Refusal::TooManyConnections)
        } else {
            Ok(())
        }
    }

    fn open(&mut self, device_id: String, upgrade: OnUpgrade, reports: mpsc::Sender<Report>) {
        let number = self.next_connection;
        self.next_connection += 1;
        let (outgoing, queue) = mpsc::channel(OUTGOING_MAX);
        let (fate, fate_receiver) = watch::channel(Fate::Live);
        let line = Line {
            number,
            service: self.service,
            outgoing: queue,
            reports,
            fate: fate_receiver,
            faults: self.faults.clone(),
        };
        let task = self.tasks.spawn(connection::serve(line, upgrade)).id();
        let connection = Connection {
            device_id,
            task,
            up: false,
            outgoing,
            fate,
        };
        self.connections.insert(number, connection);
    }

    fn hear(&mut self, report: Report) {
        match report.news {
            News::Up => {
                if let Some(connection) = self.connections.get_mut(&report.connection) {
                    // It may have been dropped while it was coming up.
                    let fate = *connection.fate.borrow();
                    connection.up = matches!(fate, Fate::Live | Fate::HalfOpen);
                    info!(connection = %connection.device_id, "a bot connected");
                }
                if self.faults.take_drop() {
                    self.drop_connections();
                }
                self.count();
            }
            News::Data(frame) => self.acknowledge(report.connection, &frame),
        }
    }

    fn ended(&mut self, task: Id) {
        let mut found = self.connections.iter().filter(|(_, it)| it.task == task);
        let Some(number) = found.next().map(|(number, _)| *number) else {
            return;
        };
        if let Some(connection) = self.connections.remove(&number) {
            info!(connection = %connection.device_id, "a connection ended");
        }
        for number in self.outbox.on_connection(number) {
            self.fail(number, &Failure::Closed);
        }
        self.count();
    }

    fn make_trouble(&mut self) {
        if self.faults.get().half_open {
            for connection in self.connections.values_mut() {
                // What was ordered to end still ends.
                connection.fate.send_if_modified(|fate| {
                    let live = *fate == Fate::Live;
                    if live {
                        *fate = Fate::HalfOpen;
                    }
                    live
                });
            }
            self.count();
        }
        if self.faults.take_drop() {
            self.drop_connections();
        }
    }

    fn drop_connections(&mut self) {
        for connection in self.connections.values_mut() {
            // Clients meet both in the wild, and must survive both.
            let fate = if self.random.bool() {
                Fate::Closed
            } else {
                Fate::Cut
            };
            connection.up = false;
            connection.fate.send_replace(fate);
        }
        self.count();
    }

    /// Tells everyone how many connections are up, when that has changed.
    fn count(&self) {
        let healthy = self
            .connections
            .values()
            .filter(|it| it.is_healthy())
            .count();
        self.up
            .send_if_modified(|up| std::mem::replace(up, healthy) != healthy);
    }
}

/// Waits for the outbox's first timer; for ever when there is none.
async fn reached(clock: &Clock, at_ms: Option<i64>) {
    match at_ms {
        Some(at_ms) => clock.reached(at_ms).await,
        None => future::pending().await,
    }
}
