//! Reads an answer from its first piece to its end, and notices when it stands still.

use std::{collections::VecDeque, time::Duration};

use futures::{StreamExt, stream};
use tokio::time::timeout;
use tracing::Span;

use super::{Answer, Error, StreamEvent, Usage, delta::Delta, provider::Chunks};
use crate::telemetry::{Metrics, TokenLabels};

/// How long to wait for the usage after the model has said that it is done. Some servers keep the
/// connection open, and nobody should look at a finished answer that seems to go on.
const USAGE_WAIT: Duration = Duration::from_secs(2);

/// An answer of which the first piece is there.
pub(super) struct Reading {
    /// None when the answer has ended, well or badly.
    chunks: Option<Chunks>,
    delta: Delta,
    ready: VecDeque<StreamEvent>,
    stall_timeout: Duration,
}

impl Reading {
    /// Reads until the first piece is there, or the end.
    pub(super) async fn begin(chunks: Chunks, stall_timeout: Duration) -> Result<Self, Error> {
        let mut reading = Self {
            chunks: Some(chunks),
            delta: Delta::default(),
            ready: VecDeque::new(),
            stall_timeout,
        };
        while !reading.delta.has_begun() && reading.chunks.is_some() {
            // The caller's clock runs here, and not the one of a stall.
            reading.read(Duration::MAX).await?;
        }
        Ok(reading)
    }

    /// The answer as a stream that keeps count of its tokens.
    pub(super) fn into_answer(self, span: Span, metrics: Metrics) -> Answer {
        stream::unfold(self, move |mut reading| {
            let (span, metrics) = (span.clone(), metrics.clone());
            async move {
                let event = reading.next().await?;
                if let Ok(StreamEvent::Finished {
                    usage: Some(usage), ..
                }) = &event
                {
                    record(*usage, &span, &metrics);
                }
                Some((event, reading))
            }
        })
        .boxed()
    }

    async fn next(&mut self) -> Option<Result<StreamEvent, Error>> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Some(Ok(event));
            }
            self.chunks.as_ref()?;
            let wait = if self.delta.is_complete() {
                USAGE_WAIT
            } else {
                self.stall_timeout
            };
            if let Err(error) = self.read(wait).await {
                self.chunks = None;
                return Some(Err(error));
            }
        }
    }

    /// Reads one chunk, or the end.
    async fn read(&mut self, wait: Duration) -> Result<(), Error> {
        let Some(chunks) = &mut self.chunks else {
            return Ok(());
        };
        let next = timeout(wait, chunks.next()).await;
        // Once the model has said that it is done, nothing that follows can spoil the answer.
        let is_complete = self.delta.is_complete();
        match next {
            Ok(Some(Ok(chunk))) => match self.delta.push(chunk) {
                Ok(events) => self.ready.extend(events),
                Err(_) if is_complete => self.end()?,
                Err(error) => return Err(error),
            },
            Ok(Some(Err(error))) if !is_complete => return Err(error),
            Err(_) if !is_complete => return Err(Error::Stalled(wait)),
            _ => self.end()?,
        }
        Ok(())
    }

    fn end(&mut self) -> Result<(), Error> {
        self.chunks = None;
        self.ready.extend(self.delta.finish()?);
        Ok(())
    }
}

fn record(usage: Usage, span: &Span, metrics: &Metrics) {
    span.record("tokens.prompt", usage.prompt_tokens);
    span.record("tokens.completion", usage.completion_tokens);
    for (kind, count) in [
        ("prompt", usage.prompt_tokens),
        ("completion", usage.completion_tokens),
    ] {
        let labels = TokenLabels { kind };
        metrics.model_tokens.get_or_create(&labels).inc_by(count);
    }
}
