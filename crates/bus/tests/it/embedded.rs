//! The log in memory keeps the contract.

use std::sync::Arc;

use bus::contract::{Bench, next};
use bus::embedded::{EmbeddedBus, EmbeddedLimits};
use bus::{Bus, BusError, Later};
use parking_lot::Mutex;
use runtime::Clock;
use wire::Seq;
use wire::invalidation::{Ack, Heartbeat, OnLogLoss};

struct Memory {
    log: EmbeddedBus,
    lines: Mutex<Vec<EmbeddedBus>>,
}

async fn memory() -> Memory {
    let log = EmbeddedBus::new(EmbeddedLimits::default(), Clock::system());
    Memory { log, lines: Mutex::default() }
}

fn done() -> Later<'static, ()> {
    Box::pin(std::future::ready(()))
}

impl Bench for Memory {
    fn join(&self) -> Later<'_, Arc<dyn Bus>> {
        let line = self.log.join();
        self.lines.lock().push(line.clone());
        Box::pin(std::future::ready(Arc::new(line) as Arc<dyn Bus>))
    }

    fn cut(&self) -> Later<'_, ()> {
        self.lines.lock().iter().for_each(|line| line.faults().cut());
        done()
    }

    fn heal(&self) -> Later<'_, ()> {
        self.lines.lock().iter().for_each(|line| line.faults().heal());
        done()
    }

    fn lose_tail(&self, n: usize) -> Later<'_, ()> {
        self.log.faults().lose_tail(n);
        done()
    }

    fn restart_empty(&self) -> Later<'_, ()> {
        self.log.faults().restart_empty();
        done()
    }

    fn trim(&self, keep: usize) -> Later<'_, ()> {
        self.log.faults().trim(keep);
        done()
    }

    fn write(&self, text: Option<String>, prev: Option<Seq>) -> Later<'_, ()> {
        self.log.faults().append_raw(text, prev);
        done()
    }
}

mod contract {
    use super::memory;

    bus::contract!(memory);
}

/// The lines of a log fail one by one.
#[tokio::test]
async fn a_line_is_cut_off_alone() {
    let log = EmbeddedBus::new(EmbeddedLimits::default(), Clock::manual(1));
    let (here, there) = (log.join(), log.join());
    let mut reader = there.subscribe(None);
    assert_eq!(next(&mut reader).await, "caught up");
    there.faults().cut();
    let order = bus::contract::order("a");
    let position = here.publish(&order).await.unwrap();
    assert_eq!(next(&mut reader).await, "away");
    assert!(here.connected() && !there.connected());
    assert!(here.end() == Some(position) && there.end() != here.end());
    assert!(matches!(there.members().await, Err(BusError::Away(_))));
    there.faults().heal();
    assert_eq!(next(&mut reader).await, "a");
    assert_eq!(there.end(), here.end());
}

/// Everything that grows has a bound.
#[tokio::test]
async fn entries_acknowledgements_and_members_are_bounded() {
    let limits = EmbeddedLimits { entries: 3, members: 2, ..EmbeddedLimits::default() };
    let log: Arc<dyn Bus> = Arc::new(EmbeddedBus::new(limits, Clock::manual(1)));
    let at = bus::contract::publish(&log, &["a", "b", "c", "d"]).await;
    let ack = |seq| Ack { node: "n".into(), seq, matched: None, error: None };
    let acks: Vec<_> = at.iter().map(|position| ack(position.seq)).collect();
    log.acknowledge(&at[0].epoch, &acks).await.unwrap();
    let known = log.acks(&at).await.unwrap();
    let counts: Vec<_> = known.iter().map(|acks| (acks.present, acks.acks.len())).collect();
    assert_eq!(counts, [(false, 0), (true, 1), (true, 1), (true, 1)]);
    let beat = |node: &str| Heartbeat {
        node: node.into(),
        role: "edge".into(),
        pool: "p".into(),
        applied: None,
        on_log_loss: OnLogLoss::Serve,
        lease_ms: 1,
        ..Heartbeat::default()
    };
    for node in ["a", "b", "a"] {
        log.heartbeat(&beat(node)).await.unwrap();
    }
    assert!(matches!(log.heartbeat(&beat("c")).await, Err(BusError::Refused(_))));
    assert!(log.leave("a").await.unwrap());
    log.heartbeat(&beat("c")).await.unwrap();
}
