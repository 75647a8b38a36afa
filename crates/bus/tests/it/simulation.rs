//! Orders, nodes and faults in every order, under simulated time: no order is ever said to be complete while
//! a member has not applied it, and in the end every order is.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bus::contract::order;
use bus::embedded::{EmbeddedBus, EmbeddedLimits};
use bus::{Bus, Delivery, Sender, SenderSettings};
use parking_lot::Mutex;
use proptest::prelude::*;
use runtime::Clock;
use tokio::task::JoinSet;
use wire::invalidation::{Ack, Heartbeat, OnLogLoss, Phase};

const NODES: usize = 3;

#[derive(Clone, Debug)]
enum Step {
    Send,
    Pass(u64),
    Cut(usize),
    Heal(usize),
    LoseTail(usize),
    RestartEmpty,
    Trim(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => Just(Step::Send),
        6 => (1..1_500_u64).prop_map(Step::Pass),
        // The last line is the sender's.
        2 => (0..=NODES).prop_map(Step::Cut),
        3 => (0..=NODES).prop_map(Step::Heal),
        1 => (1..4_usize).prop_map(Step::LoseTail),
        1 => Just(Step::RestartEmpty),
        1 => (0..4_usize).prop_map(Step::Trim),
    ];
    proptest::collection::vec(step, 1..120)
}

/// What a node has applied since it was empty, and how many orders had been given then.
#[derive(Default)]
struct Applied {
    ids: HashSet<String>,
    empty_at: usize,
}

/// Follows the log; acknowledges what it applied, again and again until it is told.
async fn node(
    bus: EmbeddedBus,
    name: String,
    applied: Arc<Mutex<Applied>>,
    sent: Arc<AtomicUsize>,
) {
    let mut reader = bus.subscribe(None);
    let mut owed: Vec<(String, Ack)> = Vec::new();
    loop {
        tokio::select! {
            delivery = reader.next() => match delivery {
                Delivery::Gap(_) => {
                    let empty_at = sent.load(Ordering::SeqCst);
                    *applied.lock() = Applied { ids: HashSet::new(), empty_at };
                }
                Delivery::Event(entry) => {
                    applied.lock().ids.insert(entry.order.unwrap().id);
                    let seq = entry.position.seq;
                    let ack = Ack { node: name.clone(), seq, matched: Some(1), error: None };
                    owed.push((entry.position.epoch, ack));
                }
                Delivery::CaughtUp(_) | Delivery::Away => {}
            },
            () = tokio::time::sleep(Duration::from_millis(50)), if !owed.is_empty() => {}
        }
        let mut left = Vec::new();
        for (epoch, ack) in owed.drain(..) {
            if bus.acknowledge(&epoch, std::slice::from_ref(&ack)).await.is_err() {
                left.push((epoch, ack));
            }
        }
        owed = left;
    }
}

fn beat(name: &str) -> Heartbeat {
    Heartbeat {
        node: name.into(),
        role: "edge".into(),
        pool: "p".into(),
        applied: None,
        on_log_loss: OnLogLoss::Serve,
        lease_ms: 1_000,
        ..Heartbeat::default()
    }
}

/// What is said to be complete, and is not.
fn lies(sender: &Sender, nodes: &[Arc<Mutex<Applied>>], sent: usize) -> Vec<String> {
    let lie = |n: &usize| {
        let report = sender.report(&n.to_string()).unwrap();
        let applied = |node: &Arc<Mutex<Applied>>| {
            let node = node.lock();
            node.ids.contains(&n.to_string()) || *n < node.empty_at
        };
        report.phase == Phase::Complete && !nodes.iter().all(applied)
    };
    (0..sent).filter(lie).map(|n| n.to_string()).collect()
}

async fn run(steps: Vec<Step>) {
    let clock = Clock::manual(1_000);
    let log = EmbeddedBus::new(EmbeddedLimits::default(), clock.clone());
    let lines: Vec<_> = (0..=NODES).map(|_| log.join()).collect();
    let sent = Arc::new(AtomicUsize::new(0));
    let mut tasks = JoinSet::new();
    let mut nodes = Vec::new();
    for (n, line) in lines[..NODES].iter().enumerate() {
        let name = format!("n{n}");
        line.heartbeat(&beat(&name)).await.unwrap();
        let applied = Arc::<Mutex<Applied>>::default();
        nodes.push(Arc::clone(&applied));
        tasks.spawn(node(line.clone(), name, applied, Arc::clone(&sent)));
    }
    let settings = SenderSettings { deadline: Duration::from_secs(2), ..SenderSettings::default() };
    let bus: Arc<dyn Bus> = Arc::new(lines[NODES].clone());
    let sender = Arc::new(Sender::new(bus, clock.clone(), settings));
    tasks.spawn(Arc::clone(&sender).run());
    let pass = async |millis: u64| {
        for _ in 0..millis.div_ceil(10) {
            tokio::time::sleep(Duration::from_millis(10)).await;
            clock.advance(Duration::from_millis(10));
            let sent = sent.load(Ordering::SeqCst);
            let lies = lies(&sender, &nodes, sent);
            assert!(lies.is_empty(), "said to be complete, and is not: {lies:?}");
        }
    };
    for step in steps {
        match step {
            Step::Send => {
                let id = sent.fetch_add(1, Ordering::SeqCst).to_string();
                sender.send(order(&id)).await.unwrap();
            }
            Step::Pass(millis) => pass(millis).await,
            Step::Cut(line) => lines[line].faults().cut(),
            Step::Heal(line) => lines[line].faults().heal(),
            Step::LoseTail(n) => log.faults().lose_tail(n),
            Step::RestartEmpty => log.faults().restart_empty(),
            Step::Trim(keep) => log.faults().trim(keep),
        }
    }
    lines.iter().for_each(|line| line.faults().heal());
    // The longest pause before an order is published again is five minutes, after many losses.
    pass(20_000).await;
    for n in 0..sent.load(Ordering::SeqCst) {
        let report = sender.report(&n.to_string()).unwrap();
        assert_eq!(report.phase, Phase::Complete, "{report:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn complete_is_never_a_lie_and_always_comes(steps in steps()) {
        tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap()
            .block_on(run(steps));
    }
}
