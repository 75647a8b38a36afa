//! Lines to the log with a fault that the embedded log has not.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::Duration;

use bus::log::Page;
use bus::{Acks, Bus, BusError, Changes, EmbeddedBus, Later, Member, Source, Subscription};
use tokio::sync::watch;
use wire::invalidation::{Ack, Heartbeat, LogPosition};
use wire::{Invalidation, Seq};

type Told<'a, T> = Later<'a, Result<T, BusError>>;

/// A line on which looks take a while, or answers to heartbeats are lost.
pub(crate) struct FaultyLine {
    line: EmbeddedBus,
    look: Duration,
    deaf: Arc<AtomicBool>,
    woken: watch::Sender<u64>,
}

impl FaultyLine {
    /// Every look takes so long, and nothing wakes the reader.
    pub(crate) fn slow(line: EmbeddedBus, look: Duration) -> Self {
        Self { line, look, deaf: Arc::default(), woken: watch::Sender::new(0) }
    }

    /// Heartbeats arrive, and from a moment on their answers are lost, and all that follows. The line, and what
    /// makes it deaf.
    pub(crate) fn deaf(line: EmbeddedBus) -> (Self, Arc<AtomicBool>) {
        let slow = Self::slow(line, Duration::ZERO);
        let deaf = slow.deaf.clone();
        (slow, deaf)
    }
}

struct SlowSource {
    line: EmbeddedBus,
    look: Duration,
}

impl Source for SlowSource {
    fn look(self: Arc<Self>, after: Seq) -> Told<'static, Page> {
        Box::pin(async move {
            tokio::time::sleep(self.look).await;
            Arc::new(self.line.clone()).look(after).await
        })
    }
}

impl Bus for FaultyLine {
    fn subscribe(&self, from: Option<LogPosition>) -> Subscription {
        if self.look.is_zero() {
            return self.line.subscribe(from);
        }
        let source = SlowSource { line: self.line.clone(), look: self.look };
        Subscription::new(Arc::new(source), self.woken.subscribe(), from)
    }

    fn heartbeat<'a>(&'a self, beat: &'a Heartbeat) -> Told<'a, ()> {
        Box::pin(async move {
            let told = self.line.heartbeat(beat).await;
            if self.deaf.load(SeqCst) && told.is_ok() {
                self.line.faults().cut();
                return Err(BusError::Away("the answer is lost".into()));
            }
            told
        })
    }

    fn publish<'a>(&'a self, order: &'a Invalidation) -> Told<'a, LogPosition> {
        self.line.publish(order)
    }

    fn end(&self) -> Option<LogPosition> {
        self.line.end()
    }

    fn connected(&self) -> bool {
        true
    }

    fn members(&self) -> Told<'_, Vec<Member>> {
        self.line.members()
    }

    fn leave<'a>(&'a self, node: &'a str) -> Told<'a, bool> {
        self.line.leave(node)
    }

    fn acknowledge<'a>(&'a self, epoch: &'a str, acks: &'a [Ack]) -> Told<'a, ()> {
        self.line.acknowledge(epoch, acks)
    }

    fn acks<'a>(&'a self, at: &'a [LogPosition]) -> Told<'a, Vec<Acks>> {
        self.line.acks(at)
    }

    fn bans(&self) -> Told<'_, Vec<String>> {
        self.line.bans()
    }

    fn changes(&self) -> Changes {
        self.line.changes()
    }
}
