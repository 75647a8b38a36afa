use wire::Seq;
use wire::invalidation::Heartbeat;

use super::*;

fn position() -> LogPosition {
    LogPosition { epoch: "e".into(), seq: Seq { ms: 5, n: 0 } }
}

fn member(node: &str, on_log_loss: OnLogLoss, unheard: u64) -> Member {
    let beat = Heartbeat {
        node: node.into(),
        role: "edge".into(),
        pool: "p".into(),
        applied: None,
        on_log_loss,
        lease_ms: 10_000,
        ..Heartbeat::default()
    };
    let unheard = Duration::from_secs(unheard);
    Member { beat, silent: unheard, unheard }
}

fn ack(node: &str, matched: Option<u64>) -> Ack {
    Ack { node: node.into(), seq: position().seq, matched, error: None }
}

fn states(verdict: &Verdict) -> Vec<NodeState> {
    verdict.nodes.iter().map(|node| node.state).collect()
}

#[test]
fn an_order_is_complete_when_every_node_acknowledged_that_entry() {
    let members = ["a", "b"].map(|node| member(node, OnLogLoss::Serve, 0));
    let mut acks = Acks { present: true, acks: vec![ack("a", Some(2)), ack("gone", Some(1))] };
    let verdict = judge(&position(), &members, &acks);
    assert_eq!(verdict.judgement, Judgement::Waiting);
    assert_eq!(states(&verdict), [NodeState::Done, NodeState::Waiting]);
    acks.acks.push(Ack { seq: Seq { ms: 6, n: 0 }, ..ack("b", Some(9)) });
    assert_eq!(judge(&position(), &members, &acks).judgement, Judgement::Waiting, "another entry");
    acks.acks.push(ack("b", None));
    let verdict = judge(&position(), &members, &acks);
    assert_eq!(verdict.judgement, Judgement::Complete);
    assert_eq!((verdict.matched, verdict.counting), (3, true));
    // Who is gone counts no more.
    let gone = judge(&position(), &members[..1], &acks);
    assert_eq!((gone.matched, gone.counting), (3, false));
    // It stays so when the entry goes.
    acks.present = false;
    assert_eq!(judge(&position(), &members, &acks).judgement, Judgement::Complete);
}

#[test]
fn how_far_a_node_says_it_read_proves_nothing() {
    let mut members = [member("a", OnLogLoss::Serve, 0)];
    members[0].beat.applied = Some(LogPosition { epoch: "e".into(), seq: Seq { ms: 9, n: 0 } });
    let verdict = judge(&position(), &members, &Acks { present: true, acks: vec![] });
    assert_eq!(verdict.judgement, Judgement::Waiting);
    assert!(verdict.unanswered);
    members[0].beat.applied = Some(LogPosition { epoch: "f".into(), seq: Seq { ms: 9, n: 0 } });
    let verdict = judge(&position(), &members, &Acks { present: true, acks: vec![] });
    assert!(!verdict.unanswered, "another log");
}

#[test]
fn silence_counts_only_for_who_revalidates_and_only_after_its_lease() {
    let cases = [
        (OnLogLoss::Serve, 1_000, NodeState::Waiting),
        (OnLogLoss::Revalidate, 0, NodeState::Waiting),
        (OnLogLoss::Revalidate, 10, NodeState::Waiting),
        (OnLogLoss::Revalidate, 12, NodeState::Waiting),
        (OnLogLoss::Revalidate, 13, NodeState::Revalidating),
    ];
    for (on_log_loss, unheard, state) in cases {
        let members = [member("a", on_log_loss, unheard)];
        let verdict = judge(&position(), &members, &Acks { present: true, acks: vec![] });
        assert_eq!(states(&verdict), [state], "{on_log_loss:?} {unheard}");
        assert_eq!(verdict.owed, state == NodeState::Revalidating);
        let complete = verdict.judgement == Judgement::Complete;
        assert_eq!(complete, state == NodeState::Revalidating);
    }
    // The log's clock may have jumped: it is not asked.
    let mut members = [member("a", OnLogLoss::Revalidate, 0)];
    members[0].silent = Duration::from_secs(1_000);
    let verdict = judge(&position(), &members, &Acks { present: true, acks: vec![] });
    assert_eq!(verdict.judgement, Judgement::Waiting);
}

#[test]
fn an_entry_that_is_gone_is_lost_while_anybody_needs_it() {
    let gone = |acks: Vec<Ack>| Acks { present: false, acks };
    let two = ["a", "b"].map(|node| member(node, OnLogLoss::Serve, 0));
    let verdict = judge(&position(), &two, &gone(vec![ack("a", Some(1))]));
    assert_eq!((verdict.judgement, verdict.again), (Judgement::Lost, true));
    // A node that revalidates is no reason to wait, but it must find the order when it comes back.
    let cut = [member("a", OnLogLoss::Serve, 0), member("b", OnLogLoss::Revalidate, 60)];
    let verdict = judge(&position(), &cut, &gone(vec![ack("a", Some(1))]));
    assert_eq!((verdict.judgement, verdict.again), (Judgement::Complete, true));
}

#[test]
fn without_members_nothing_is_complete() {
    let none = Acks { present: true, acks: vec![] };
    assert_eq!(judge(&position(), &[], &none).judgement, Judgement::Waiting);
}

#[test]
fn a_node_that_could_not_apply_it_is_named() {
    let members = ["a", "b"].map(|node| member(node, OnLogLoss::Serve, 0));
    let failed = Ack { error: Some("no such pattern".into()), ..ack("a", None) };
    let verdict =
        judge(&position(), &members, &Acks { present: true, acks: vec![failed, ack("b", None)] });
    assert_eq!(verdict.judgement, Judgement::Failed);
    assert_eq!(states(&verdict), [NodeState::Failed, NodeState::Done]);
    assert_eq!(verdict.nodes[0].error.as_deref(), Some("no such pattern"));
}
