use wire::invalidation::OnLogLoss;

use super::*;

fn listed(node: &str, stamp: i64) -> Listed {
    let beat = Heartbeat {
        node: node.into(),
        role: "edge".into(),
        pool: "p".into(),
        applied: None,
        on_log_loss: OnLogLoss::Serve,
        lease_ms: 1,
        ..Heartbeat::default()
    };
    Listed { beat, stamp }
}

fn asked(at: u64, answered: u64, connection: u64) -> Asked {
    Asked { at: Duration::from_secs(at), answered: Duration::from_secs(answered), connection }
}

/// Takes a list that was asked for and answered at once; says who is there, unheard for how many seconds,
/// and who must be written back.
fn take(roster: &mut Roster, at: u64, list: Vec<Listed>, left: &[&str]) -> (String, String) {
    let left: Vec<_> = left.iter().map(|&node| node.to_owned()).collect();
    let (members, restore) = roster.take(1_000_000, list, &left, asked(at, at, 1));
    let short = |members: &[Member]| {
        let one = |m: &Member| format!("{}{}", m.beat.node, m.unheard.as_secs());
        members.iter().map(one).collect::<Vec<_>>().join(" ")
    };
    (short(&members), short(&restore))
}

fn pair(members: &str, restore: &str) -> (String, String) {
    (members.into(), restore.into())
}

#[test]
fn silence_is_counted_from_when_this_process_saw_it_begin() {
    let mut roster = Roster::default();
    // Its stamp is old, by a clock that may have jumped: that says nothing.
    assert_eq!(take(&mut roster, 100, vec![listed("a", 5)], &[]), pair("a0", ""));
    assert_eq!(take(&mut roster, 107, vec![listed("a", 5)], &[]), pair("a7", ""));
    assert_eq!(take(&mut roster, 109, vec![listed("a", 6)], &[]), pair("a0", ""));
    assert_eq!(take(&mut roster, 110, vec![listed("a", 4)], &[]), pair("a0", ""), "jumped back");
}

#[test]
fn an_answer_under_way_is_no_silence() {
    let mut roster = Roster::default();
    roster.take(0, vec![listed("a", 5)], &[], asked(10, 13, 1));
    let (members, _) = roster.take(0, vec![listed("a", 5)], &[], asked(20, 29, 1));
    assert_eq!(members[0].unheard, Duration::from_secs(7));
}

#[test]
fn another_server_may_not_know_what_the_former_one_heard() {
    let mut roster = Roster::default();
    roster.take(0, vec![listed("a", 5)], &[], asked(10, 10, 1));
    // Meanwhile the node told the former server that it is there, and this one never heard of it.
    let (members, _) = roster.take(0, vec![listed("a", 5)], &[], asked(30, 31, 2));
    assert_eq!(members[0].unheard, Duration::ZERO);
    let (members, _) = roster.take(0, vec![listed("a", 5)], &[], asked(35, 35, 2));
    assert_eq!(members[0].unheard, Duration::from_secs(4));
}

#[test]
fn who_is_remembered_is_written_back_unless_gone() {
    let mut roster = Roster::default();
    take(&mut roster, 1, vec![listed("a", 5), listed("b", 5), listed("c", 5)], &[]);
    assert_eq!(take(&mut roster, 2, vec![listed("a", 6)], &["c"]), pair("a0 b1", "b1"));
    assert_eq!(take(&mut roster, 3, vec![listed("a", 6), listed("b", 2)], &[]), pair("a1 b0", ""));
    assert!(roster.remove("b"));
    assert!(!roster.remove("b"));
    assert_eq!(take(&mut roster, 4, vec![], &[]), pair("a2", "a2"));
}
