//! Accepts connections, and lets go of all of them at once when the sandbox stops.
//!
//! `axum::serve` leaves its connection tasks behind when it is dropped; here a `JoinSet` owns them,
//! so a stopped sandbox leaves nothing. Each request carries a [`Cord`]: whoever pulls it makes the
//! connection break without an answer, which is one of the faults.

use axum::{Extension, Router};
use hyper_util::{rt::TokioIo, service::TowerToHyperService};
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinSet,
};
use tokio_util::sync::CancellationToken;

/// Breaks the connection on which a request came.
#[derive(Debug, Clone)]
pub(super) struct Cord(CancellationToken);

impl Cord {
    /// Closes the connection; the request under way gets no answer.
    pub(super) fn pull(&self) {
        self.0.cancel();
    }
}

/// Serves `router` until `stop`; every connection ends with it.
pub(super) async fn serve(listener: TcpListener, router: Router, stop: CancellationToken) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(serve_connection(stream, router.clone()));
                }
                // Out of file handles, most likely: closing connections will mend it.
                Err(error) => {
                    tracing::warn!(%error, "the sandbox could not take a connection");
                    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
                }
            },
            // Connections that ended are only cleared away.
            Some(_) = connections.join_next() => {}
        }
    }
    connections.shutdown().await;
}

async fn serve_connection(stream: TcpStream, router: Router) {
    // Small answers, often: without this each waits for the other side's acknowledgement.
    let _ = stream.set_nodelay(true);
    let cord = Cord(CancellationToken::new());
    let service = TowerToHyperService::new(router.layer(Extension(cord.clone())));
    let connection = hyper::server::conn::http1::Builder::new()
        // As the platform writes them: the vendor's SDK looks for `X-Tt-Logid` and `Content-Type`
        // exactly so, and finds neither in small letters.
        .title_case_headers(true)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    tokio::select! {
        // Ends with the client; an error here is the client's, and it has seen it.
        _ = connection => {}
        () = cord.0.cancelled() => {}
    }
}
