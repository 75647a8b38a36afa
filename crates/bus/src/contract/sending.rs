//! Orders until they are complete.

use std::sync::Arc;
use std::time::Duration;

use runtime::Clock;
use tokio::task::JoinHandle;
use wire::invalidation::{NodeState, Phase};

use super::node::beat;
use super::{Bench, Node, eventually, order, publish};
use crate::{Bus, SendError, Sender, SenderSettings, Until};

/// A sender that runs until it is dropped.
struct Running {
    sender: Arc<Sender>,
    task: JoinHandle<()>,
}

impl Running {
    fn start(bus: Arc<dyn Bus>) -> Self {
        let settings = SenderSettings {
            deadline: Duration::from_millis(500),
            queue: 20,
            ..SenderSettings::default()
        };
        let sender = Arc::new(Sender::new(bus, Clock::system(), settings));
        Self { task: tokio::spawn(Arc::clone(&sender).run()), sender }
    }

    /// Waits until the order is in this phase.
    async fn until(&self, id: &str, phase: Phase) {
        let is_so = async || self.sender.report(id).unwrap().phase == phase;
        eventually(&format!("{id} {phase:?}"), is_so).await;
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// An order is complete when every node acknowledged it, and says what they matched.
pub async fn an_order_is_complete_when_all_nodes_say_so(bench: &impl Bench) {
    let nodes =
        [Node::start(bench.join().await, "a").await, Node::start(bench.join().await, "b").await];
    let running = Running::start(bench.join().await);
    for id in ["p1", "p2", "p3"] {
        let accepted = running.sender.send(order(id)).await.unwrap();
        assert!(accepted.replicated && accepted.position.is_some(), "{accepted:?}");
        let report =
            running.sender.wait(id, Until::Counted, Duration::from_secs(10)).await.unwrap();
        assert_eq!((report.phase, report.matched, report.counting), (Phase::Complete, 2, false));
        assert!(report.nodes.iter().all(|node| node.state == NodeState::Done), "{report:?}");
        assert!(nodes.iter().all(|node| node.applied().contains(&id.to_owned())));
        // The same order again is the same order.
        let again = running.sender.send(order(id)).await.unwrap();
        assert_eq!((again.position, again.phase), (accepted.position, Phase::Complete));
    }
    assert_eq!(nodes[0].applied(), ["p1", "p2", "p3"]);
    assert_eq!(running.sender.report("unknown"), None);
    assert_eq!(running.sender.wait("unknown", Until::Counted, Duration::from_secs(1)).await, None);
    assert_eq!(running.sender.reports(2).len(), 2);
}

/// A node that does not answer is named, until it does or is declared gone.
pub async fn a_node_that_is_silent_makes_an_order_partial(bench: &impl Bench) {
    let bus = bench.join().await;
    let _node = Node::start(bench.join().await, "a").await;
    bus.heartbeat(&beat("dead")).await.unwrap();
    bus.heartbeat(&beat("late")).await.unwrap();
    let running = Running::start(Arc::clone(&bus));
    running.sender.send(order("p")).await.unwrap();
    let report = running.sender.wait("p", Until::Counted, Duration::from_secs(10)).await.unwrap();
    assert_eq!(report.phase, Phase::Partial);
    let states: Vec<_> = report.nodes.iter().map(|node| (&*node.name, node.state)).collect();
    let expected =
        [("a", NodeState::Done), ("dead", NodeState::Waiting), ("late", NodeState::Waiting)];
    assert_eq!(states, expected);
    let _late = Node::start(bench.join().await, "late").await;
    assert!(bus.leave("dead").await.unwrap());
    running.until("p", Phase::Complete).await;
}

/// While the log is away orders wait, not too many; then they come in the order in which they were given.
pub async fn orders_wait_for_the_log_in_their_order(bench: &impl Bench) {
    let bus = bench.join().await;
    let node = Node::start(bench.join().await, "a").await;
    let running = Running::start(Arc::clone(&bus));
    running.sender.send(order("first")).await.unwrap();
    running.until("first", Phase::Complete).await;
    bench.cut().await;
    let ids: Vec<_> = (0..20).map(|n| format!("q{n}")).collect();
    for id in &ids {
        let report = running.sender.send(order(id)).await.unwrap();
        assert_eq!((report.phase, report.replicated), (Phase::Pending, false));
    }
    assert_eq!(running.sender.send(order("q20")).await, Err(SendError::Full));
    assert_eq!(running.sender.queued(), 20);
    let pending =
        running.sender.wait("q0", Until::Counted, Duration::from_millis(100)).await.unwrap();
    assert_eq!(pending.phase, Phase::Pending);
    bench.heal().await;
    for id in &ids {
        running.until(id, Phase::Complete).await;
    }
    assert_eq!(running.sender.queued(), 0);
    // One whose first publication was not answered may be there twice.
    let mut applied = node.applied();
    applied.dedup();
    assert_eq!(applied[1..], ids);
}

/// What a failover lost before all nodes had it comes again, and is not complete before.
pub async fn a_lost_order_is_published_again(bench: &impl Bench) {
    let bus = bench.join().await;
    publish(&bus, &["before"]).await;
    bus.heartbeat(&beat("a")).await.unwrap();
    let running = Running::start(Arc::clone(&bus));
    let first = running.sender.send(order("p")).await.unwrap().position;
    bench.lose_tail(1).await;
    let republished = async || {
        let now = running.sender.report("p").unwrap();
        now.replicated && now.position != first
    };
    eventually("published again", republished).await;
    assert_ne!(running.sender.report("p").unwrap().phase, Phase::Complete);
    let node = Node::start(bench.join().await, "a").await;
    running.until("p", Phase::Complete).await;
    assert_eq!(node.applied(), ["before", "p"]);
}

/// A log that starts anew loses no order, and nobody who must apply it.
pub async fn an_order_outlives_a_log_that_starts_empty(bench: &impl Bench) {
    let bus = bench.join().await;
    bus.heartbeat(&beat("a")).await.unwrap();
    bus.heartbeat(&beat("cut off")).await.unwrap();
    let running = Running::start(Arc::clone(&bus));
    let first = running.sender.send(order("p")).await.unwrap().position.unwrap();
    running.until("p", Phase::Partial).await;
    bench.restart_empty().await;
    let _node = Node::start_when_there(bench.join().await, "a").await;
    let moved = async || {
        let report = running.sender.report("p").unwrap();
        let done = report.nodes.iter().any(|node| node.state == NodeState::Done);
        done && report.position.is_some_and(|at| at.epoch != first.epoch)
    };
    eventually("applied in the new log", moved).await;
    let report = running.sender.report("p").unwrap();
    assert_eq!(report.phase, Phase::Partial, "{report:?}");
    let cut_off = report.nodes.iter().find(|node| node.name == "cut off").unwrap();
    assert_eq!(cut_off.state, NodeState::Waiting);
    assert!(bus.leave("cut off").await.unwrap());
    running.until("p", Phase::Complete).await;
}
