use wire::invalidation::LogPosition;

use super::*;
use crate::conditions::time;

fn node(name: &str, state: NodeState) -> NodeReport {
    let error = (state == NodeState::Failed).then(|| "too costly".to_owned());
    NodeReport { name: name.into(), state, matched: Some(2), error }
}

fn report(phase: Phase, nodes: Vec<NodeReport>) -> PurgeReport {
    let position = (phase != Phase::Pending).then(|| "e/5-0".parse::<LogPosition>().unwrap());
    PurgeReport {
        id: "p".into(),
        phase,
        position,
        replicated: phase != Phase::Pending,
        matched: 4,
        counting: false,
        took_ms: 12,
        nodes,
    }
}

fn told(report: &PurgeReport, applying: u64) -> Told<'_> {
    let (applying, deadline) = (Duration::from_secs(applying), Duration::from_secs(30));
    Told { generation: 1, report, applying, deadline, cut_off: false }
}

fn status(report: &PurgeReport, applying: u64) -> PurgeRequestStatus {
    purge(&told(report, applying), &PurgeRequestStatus::default(), &time(1_000))
}

fn complete(status: &PurgeRequestStatus) -> (&str, &str, &str) {
    let found = status.conditions.iter().find(|c| c.type_ == "Complete").unwrap();
    (&found.status, &found.reason, &found.message)
}

#[test]
fn a_purge_is_complete_when_the_log_says_so() {
    let report =
        report(Phase::Complete, vec![node("a", NodeState::Done), node("b", NodeState::Done)]);
    let status = status(&report, 1);
    assert_eq!(status.phase, Some(PurgePhase::Complete));
    assert_eq!(complete(&status), ("True", "Complete", "2 nodes in 12 ms, 4 matched"));
    assert_eq!(status.completion_time, Some(time(1_000)));
    assert_eq!((status.matched, status.seq.as_deref()), (Some(4), Some("e/5-0")));
    assert_eq!(status.nodes[0].state, PurgeNodeState::Done);
    assert_eq!(status.nodes[0].matched, Some(2));
}

#[test]
fn a_purge_is_partial_after_its_own_deadline_and_names_who_is_missing() {
    let waiting = (0..8).map(|n| node(&format!("n{n}"), NodeState::Waiting)).collect();
    let report = report(Phase::Applying, waiting);
    let in_time = status(&report, 29);
    assert_eq!(in_time.phase, Some(PurgePhase::Applying));
    assert_eq!(in_time.completion_time, None);
    let late = status(&report, 30);
    assert_eq!(late.phase, Some(PurgePhase::Partial));
    assert_eq!(
        complete(&late),
        (
            "False",
            "Partial",
            "n0, n1, n2, n3, n4 and 3 more did not answer in time and may serve what is stale"
        )
    );
    assert_eq!(late.nodes.len(), 8);
}

#[test]
fn a_purge_that_finishes_late_keeps_the_time_of_its_deadline() {
    let first = report(Phase::Applying, vec![node("a", NodeState::Waiting)]);
    let partial = status(&first, 30);
    let done = report(Phase::Complete, vec![node("a", NodeState::Done)]);
    let status = purge(&told(&done, 90), &partial, &time(90_000));
    assert_eq!(status.phase, Some(PurgePhase::Complete));
    assert_eq!(status.completion_time, partial.completion_time, "it is kept from then on");
    assert_eq!(status.start_time, Some(time(1_000)));
}

#[test]
fn what_waits_and_what_fails_says_why() {
    let pending = report(Phase::Pending, vec![]);
    let mut away = told(&pending, 0);
    away.cut_off = true;
    let status_away = purge(&away, &PurgeRequestStatus::default(), &time(0));
    assert!(complete(&status_away).2.contains("the invalidation log is away"));
    assert_eq!(status_away.seq, None);
    let failed = report(Phase::Failed, vec![node("a", NodeState::Failed)]);
    let status = status(&failed, 0);
    assert_eq!(status.phase, Some(PurgePhase::Failed));
    assert_eq!(complete(&status).2, "a cannot apply it: too costly");
}

#[test]
fn a_purge_that_is_wrong_is_not_accepted_and_one_without_a_log_is() {
    let former = PurgeRequestStatus::default();
    let accepted = |why| {
        let status = refused_purge(why, 1, &former, &time(0));
        assert_eq!(status.phase, Some(PurgePhase::Pending));
        status.conditions[0].status.clone()
    };
    assert_eq!(accepted(Why::Invalid("no such host".into())), "False");
    assert_eq!(accepted(Why::NoLog), "True");
}

#[test]
fn a_ban_is_active_from_the_log_on_until_nothing_is_left_or_its_time_is_over() {
    let expires = time(60_000);
    let ban_of = |phase, counting| {
        let mut report = report(phase, vec![node("a", NodeState::Done)]);
        report.counting = counting;
        ban(&told(&report, 0), &BanRuleStatus::default(), &expires, &time(0))
    };
    assert_eq!(ban_of(Phase::Pending, false).phase, None);
    assert_eq!(ban_of(Phase::Applying, true).phase, Some(BanPhase::Active));
    let counted = ban_of(Phase::Complete, false);
    assert_eq!(counted.phase, Some(BanPhase::Exhausted));
    assert!(counted.conditions[1].message.contains("held all that was stored before"));
    let active = ban_of(Phase::Complete, true);
    assert_eq!((active.phase, active.expires_at.clone()), (Some(BanPhase::Active), Some(expires)));
    let over = exhausted(&active, 1, &time(60_000));
    assert_eq!(over.phase, Some(BanPhase::Exhausted));
    assert_eq!((over.id, over.matched), (active.id, active.matched));
    let wrong = refused_ban(Why::Invalid("no".into()), 1, &BanRuleStatus::default(), &time(0));
    assert_eq!(wrong.phase, None);
    assert_eq!(wrong.conditions[1].message, "no");
}
