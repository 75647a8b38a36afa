//! The desk in front of a log that takes its time.

use bus::embedded::EmbeddedLimits;
use bus::{Acks, Changes, EmbeddedBus, Member, SenderSettings, Subscription};
use wire::LogPosition;
use wire::invalidation::{Ack, Heartbeat, How, Target};

use super::*;

/// How long it takes for an order.
const SLOW: Duration = Duration::from_millis(700);

/// A log like any other, but slow to append.
struct SlowBus(EmbeddedBus);

impl Bus for SlowBus {
    fn publish<'a>(
        &'a self,
        order: &'a Invalidation,
    ) -> bus::Later<'a, Result<LogPosition, BusError>> {
        Box::pin(async move {
            tokio::time::sleep(SLOW).await;
            self.0.publish(order).await
        })
    }

    fn subscribe(&self, from: Option<LogPosition>) -> Subscription {
        self.0.subscribe(from)
    }

    fn end(&self) -> Option<LogPosition> {
        self.0.end()
    }

    fn connected(&self) -> bool {
        self.0.connected()
    }

    fn heartbeat<'a>(&'a self, beat: &'a Heartbeat) -> bus::Later<'a, Result<(), BusError>> {
        self.0.heartbeat(beat)
    }

    fn members<'a>(&'a self) -> bus::Later<'a, Result<Vec<Member>, BusError>> {
        self.0.members()
    }

    fn leave<'a>(&'a self, node: &'a str) -> bus::Later<'a, Result<bool, BusError>> {
        self.0.leave(node)
    }

    fn acknowledge<'a>(
        &'a self,
        epoch: &'a str,
        acks: &'a [Ack],
    ) -> bus::Later<'a, Result<(), BusError>> {
        self.0.acknowledge(epoch, acks)
    }

    fn acks<'a>(&'a self, at: &'a [LogPosition]) -> bus::Later<'a, Result<Vec<Acks>, BusError>> {
        self.0.acks(at)
    }

    fn bans(&self) -> bus::Later<'_, Result<Vec<String>, BusError>> {
        self.0.bans()
    }

    fn changes(&self) -> Changes {
        self.0.changes()
    }
}

fn order(id: String) -> Invalidation {
    Invalidation {
        format: wire::invalidation::FORMAT,
        id,
        target: Target::All,
        how: How::Hard,
        dry_run: false,
        issued_ms: 0,
    }
}

#[tokio::test(start_paused = true)]
async fn behind_a_long_queue_the_answer_comes_in_time_and_the_order_later() {
    let clock = runtime::Clock::manual(1_800_000_000_000);
    let embedded = EmbeddedBus::new(EmbeddedLimits::default(), clock.clone());
    let bus: Arc<dyn Bus> = Arc::new(SlowBus(embedded));
    let sender = Arc::new(Sender::new(bus.clone(), clock.clone(), SenderSettings::default()));
    tokio::spawn(sender.clone().run());
    let desk = LogDesk::new(sender.clone(), bus, clock, Vec::new);
    for (n, wait) in [(0, 0), (20, 0), (40, 5)] {
        for n in n..n + 20 {
            let sender = sender.clone();
            tokio::spawn(async move { sender.send(order(format!("queued-{n}"))).await });
        }
        // Until they stand in the queue.
        tokio::time::sleep(Duration::from_millis(1)).await;
        let start = Instant::now();
        let (id, wait) = (format!("last-{n}"), Duration::from_secs(wait));
        let report = desk.send(order(id.clone()), wait).await.unwrap();
        assert_eq!((report.phase, report.replicated), (Phase::Pending, false));
        let took = start.elapsed();
        assert!(took <= wait.max(PROMPT) + Duration::from_millis(10), "{took:?} for {wait:?}");
    }
    tokio::time::sleep(SLOW * 70).await;
    for n in [0, 20, 40] {
        let report = desk.report(&format!("last-{n}"), Duration::ZERO).await.unwrap();
        assert_eq!((report.phase, report.replicated), (Phase::Applying, true), "{report:?}");
    }
}
