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

/// A log whose every look takes a while.
pub(crate) struct SlowLine {
    line: EmbeddedBus,
    look: Duration,
    woken: watch::Sender<u64>,
}

impl SlowLine {
    pub(crate) fn new(line: EmbeddedBus, look: Duration) -> Self {
        Self { line, look, woken: watch::Sender::new(0) }
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

impl Bus for SlowLine {
    fn subscribe(&self, from: Option<LogPosition>) -> Subscription {
        let source = SlowSource { line: self.line.clone(), look: self.look };
        Subscription::new(Arc::new(source), self.woken.subscribe(), from)
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

    fn heartbeat<'a>(&'a self, beat: &'a Heartbeat) -> Told<'a, ()> {
        self.line.heartbeat(beat)
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

    fn changes(&self) -> Changes {
        self.line.changes()
    }
}

/// A line on which heartbeats arrive, and from a moment on their answers are lost, and all that follows.
pub(crate) struct DeafLine {
    line: EmbeddedBus,
    deaf: Arc<AtomicBool>,
}

impl DeafLine {
    /// The line, and what makes it deaf.
    pub(crate) fn new(line: EmbeddedBus) -> (Self, Arc<AtomicBool>) {
        let deaf = Arc::new(AtomicBool::new(false));
        (Self { line, deaf: deaf.clone() }, deaf)
    }
}

impl Bus for DeafLine {
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

    fn subscribe(&self, from: Option<LogPosition>) -> Subscription {
        self.line.subscribe(from)
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

    fn changes(&self) -> Changes {
        self.line.changes()
    }
}
