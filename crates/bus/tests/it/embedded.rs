//! The log in memory keeps the contract.

use std::sync::Arc;

use bus::contract::Bench;
use bus::embedded::{EmbeddedBus, EmbeddedLimits};
use bus::{Bus, Later};
use parking_lot::Mutex;
use runtime::Clock;
use wire::Seq;

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
