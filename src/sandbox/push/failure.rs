//! Why an attempt to deliver came to nothing.

/// The reason, in the words of `GET /sandbox/deliveries`.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Failure {
    /// Nothing was connected.
    #[error("no connection")]
    NoConnection,
    /// The time ran out.
    #[error("not acknowledged within 3 s")]
    Late,
    /// The connection went away before the acknowledgement came.
    #[error("the connection closed")]
    Closed,
    /// The connection's queue is full, because the client takes nothing from its socket.
    #[error("the client does not read")]
    NotReading,
    /// The client says that it could not handle the event.
    #[error("acknowledged with code {0}")]
    Code(i64),
    /// The acknowledgement is not our frame come back.
    #[error("{0}")]
    NoEcho(String),
    /// The developer's server answered with another status than 200.
    #[error("answered with HTTP {0}")]
    Status(u16),
    /// The answer has no end.
    #[error("the answer is too long")]
    TooLong,
    /// The developer's server took no connection, or broke it.
    #[error("the server was not reached")]
    NotReached,
    /// The developer's server has a name that nobody knows.
    #[error("the server's name is not known")]
    NoSuchHost,
    /// The sandbox has too many events under way, or has stopped.
    #[error("lost: too many events are under way, or the sandbox has stopped")]
    NoRoom,
}
