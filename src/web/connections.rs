//! Accepts connections, a bounded number at a time, and lets none of them dawdle.
//!
//! `axum::serve` waits for a request as long as its sender likes, so a few hundred idle sockets could keep
//! the platform out.

use std::{future::Future, sync::Arc, time::Duration};

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    pin,
    sync::{OwnedSemaphorePermit, Semaphore},
    task::JoinSet,
    time::sleep,
};
use tracing::{debug, warn};

/// After the machine had no socket for us.
const ACCEPT_AGAIN_AFTER: Duration = Duration::from_millis(100);

/// What connections may take.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// How many there may be; the next one waits until one ends.
    pub(super) connections_max: usize,
    /// How long the head of a request may take, from the end of the answer before it.
    pub(super) head_within: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections_max: 1024,
            head_within: Duration::from_secs(20),
        }
    }
}

/// Serves until `stop` completes and what was asked before is answered.
pub(super) async fn serve(
    listener: TcpListener,
    router: Router,
    stop: impl Future<Output = ()>,
    limits: Limits,
) {
    let room = Arc::new(Semaphore::new(limits.connections_max));
    let graceful = GracefulShutdown::new();
    let mut connections = JoinSet::new();
    pin!(stop);
    loop {
        tokio::select! {
            () = &mut stop => break,
            accepted = accept(&listener, &room) => {
                let (stream, place) = accepted;
                // Small answers, often: without this each waits for the other side's acknowledgement.
                let _ = stream.set_nodelay(true);
                let service = TowerToHyperService::new(router.clone());
                let connection = http1::Builder::new()
                    .timer(TokioTimer::new())
                    .header_read_timeout(limits.head_within)
                    .serve_connection(TokioIo::new(stream), service);
                let connection = graceful.watch(connection);
                connections.spawn(async move {
                    if let Err(error) = connection.await {
                        debug!(%error, "a connection broke");
                    }
                    drop(place);
                });
            }
            // Connections that ended are only cleared away.
            Some(_) = connections.join_next() => {}
        }
    }
    drop(listener);
    // Idle connections end at once, the others when their request is answered.
    graceful.shutdown().await;
}

/// A connection, and the place it takes up.
async fn accept(
    listener: &TcpListener,
    room: &Arc<Semaphore>,
) -> (TcpStream, OwnedSemaphorePermit) {
    let place = Arc::clone(room).acquire_owned().await;
    let place = place.expect("the semaphore is never closed");
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return (stream, place),
            // Out of file handles, most likely: connections that end will mend it.
            Err(error) => {
                warn!(%error, "could not take a connection");
                sleep(ACCEPT_AGAIN_AFTER).await;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::routing::get;
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        sync::oneshot,
    };

    use super::*;

    #[tokio::test]
    async fn a_sender_who_dawdles_makes_room_for_the_next_one() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().route("/", get(async || "hello"));
        let (stop, stopped) = oneshot::channel::<()>();
        let limits = Limits {
            connections_max: 1,
            head_within: Duration::from_millis(50),
        };
        let stopped = async {
            let _ = stopped.await;
        };
        let server = tokio::spawn(serve(listener, router, stopped, limits));
        let mut slow = TcpStream::connect(address).await.unwrap();
        slow.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n")
            .await
            .unwrap();
        let mut quick = TcpStream::connect(address).await.unwrap();
        quick
            .write_all(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            .await
            .unwrap();
        let mut answer = String::new();
        quick.read_to_string(&mut answer).await.unwrap();
        assert!(answer.ends_with("hello"), "{answer}");
        // The slow one was shown out.
        let _ = slow.read_to_end(&mut Vec::new()).await;
        stop.send(()).unwrap();
        server.await.unwrap();
    }
}
