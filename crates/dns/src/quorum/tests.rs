use super::*;

fn at(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// What an observer sees: `+` for a target that is well, `-` for one that is not, `.` for one it knows nothing of.
fn sees(targets: &str) -> Ballot<usize> {
    targets.chars().enumerate().filter(|(_, c)| *c != '.').map(|(n, c)| (n, c == '+')).collect()
}

fn quorum() -> Quorum<usize> {
    Quorum::new(QuorumSettings::default())
}

/// Who is out, of four.
fn out(quorum: &Quorum<usize>) -> String {
    (0..4).map(|target| if quorum.is_out(&target) { '-' } else { '+' }).collect()
}

#[test]
fn one_alone_decides_alone() {
    let mut quorum = quorum();
    assert_eq!(quorum.decide(&sees("+-+-"), at(0)), Standpoint::Alone);
    assert_eq!(out(&quorum), "+-+-");
    assert_eq!(quorum.decide(&sees("+++-"), at(1)), Standpoint::Alone);
    assert_eq!(out(&quorum), "+++-");
    assert_eq!(quorum.decide(&sees("++"), at(2)), Standpoint::Alone);
    assert_eq!(out(&quorum), "++++", "targets that are gone are forgotten");
}

#[test]
fn a_majority_takes_out_and_brings_back() {
    let mut quorum = quorum();
    quorum.hear("b", sees("++++"), at(0));
    quorum.hear("c", sees("-+++"), at(0));
    assert_eq!(quorum.decide(&sees("+-++"), at(0)), Standpoint::Together);
    assert_eq!(out(&quorum), "++++");
    quorum.hear("b", sees("+-++"), at(1));
    quorum.decide(&sees("+-++"), at(1));
    assert_eq!(out(&quorum), "+-++");
    quorum.decide(&sees("++++"), at(1));
    assert_eq!(out(&quorum), "++++");
}

#[test]
fn two_that_differ_change_nothing() {
    let mut quorum = quorum();
    quorum.hear("b", sees("++++"), at(0));
    quorum.decide(&sees("-+++"), at(0));
    assert_eq!(out(&quorum), "++++");
    quorum.hear("b", sees("-+++"), at(1));
    quorum.decide(&sees("-+++"), at(1));
    assert_eq!(out(&quorum), "-+++");
    quorum.decide(&sees("++++"), at(1));
    assert_eq!(out(&quorum), "-+++", "out until both see it back");
}

#[test]
fn who_knows_nothing_of_a_target_has_no_vote_on_it() {
    let mut quorum = quorum();
    quorum.hear("b", sees(".+++"), at(0));
    quorum.hear("c", sees("...."), at(0));
    quorum.decide(&sees("-+++"), at(0));
    assert_eq!(out(&quorum), "-+++");
}

#[test]
fn ballots_lapse() {
    let mut quorum = quorum();
    quorum.hear("b", sees("++++"), at(0));
    quorum.hear("c", sees("++++"), at(0));
    assert_eq!(quorum.decide(&sees("-+++"), at(3)), Standpoint::Together);
    assert_eq!(out(&quorum), "++++");
    assert_eq!(quorum.live(at(3)).count(), 2);
    assert_eq!(quorum.live(at(4)).count(), 0);
    assert_eq!(quorum.votes(&0, at(3)).collect::<Vec<_>>(), [("b", true), ("c", true)]);
    assert_eq!(quorum.votes(&4, at(3)).count(), 0, "nobody knows it");
    assert_eq!(quorum.votes(&0, at(4)).count(), 0);
    quorum.set_settings(QuorumSettings { lease: at(4), ..QuorumSettings::default() });
    assert_eq!(quorum.live(at(4)).count(), 2, "where probes are slow, leases are longer");
    quorum.set_settings(QuorumSettings::default());
    assert_eq!(quorum.decide(&sees("-+++"), at(4)), Standpoint::Alone);
    assert_eq!(out(&quorum), "-+++");
}

/// Three observers, one is cut off from all: it keeps its view, the others do not notice; then a target dies.
#[test]
fn who_is_cut_off_fails_nobody_over() {
    let mut cut_off = quorum();
    cut_off.meet(at(10));
    for name in ["b", "c"] {
        cut_off.hear(name, sees("+-++"), at(10));
    }
    assert_eq!(cut_off.decide(&sees("+-++"), at(10)), Standpoint::Together);
    assert_eq!(cut_off.decide(&sees("----"), at(12)), Standpoint::Outvoted);
    assert_eq!(out(&cut_off), "+-++");
    for later in [14, 60, 600, 6_000] {
        assert_eq!(cut_off.decide(&sees("----"), at(later)), Standpoint::Holding);
        assert_eq!(out(&cut_off), "+-++");
    }
    assert_eq!(cut_off.decide(&sees("++++"), at(6_001)), Standpoint::Alone);

    let mut other = quorum();
    other.hear("a", sees("----"), at(12));
    other.hear("c", sees("+-++"), at(12));
    assert_eq!(other.decide(&sees("+-++"), at(12)), Standpoint::Together);
    assert_eq!(out(&other), "+-++");
    other.hear("c", sees("+--+"), at(14));
    other.decide(&sees("+--+"), at(14));
    assert_eq!(out(&other), "+--+", "two of two that are not doubtful");
}

#[test]
fn who_cannot_meet_the_others_needs_longer_to_believe() {
    let mut quorum = quorum();
    quorum.hear("b", sees("++++"), at(0));
    quorum.meet(at(0));
    quorum.decide(&sees("++++"), at(0));
    assert_eq!(quorum.decide(&sees("---+"), at(10)), Standpoint::Holding);
    assert_eq!(out(&quorum), "++++");
    assert_eq!(quorum.decide(&sees("--++"), at(11)), Standpoint::Alone, "half is believed");
    assert_eq!(out(&quorum), "--++");
    assert_eq!(quorum.decide(&sees("---+"), at(12)), Standpoint::Holding);
    assert_eq!(quorum.decide(&sees("---+"), at(72)), Standpoint::Holding);
    assert_eq!(out(&quorum), "--++");
    assert_eq!(quorum.decide(&sees("---+"), at(73)), Standpoint::Alone, "it has a line");
    assert_eq!(out(&quorum), "---+");
    assert_eq!(quorum.decide(&sees("----"), at(74)), Standpoint::Holding, "has it?");
    assert_eq!(out(&quorum), "---+");
    assert_eq!(quorum.decide(&sees("---+"), at(75)), Standpoint::Holding, "it begins anew");
    quorum.hear("b", sees("---+"), at(76));
    quorum.meet(at(76));
    assert_eq!(quorum.decide(&sees("---+"), at(76)), Standpoint::Together);
}

#[test]
fn who_meets_nobody_is_alone() {
    let mut quorum = quorum();
    quorum.hear("b", sees("++++"), at(0));
    quorum.meet(at(0));
    assert_eq!(quorum.decide(&sees("---+"), at(3)), Standpoint::Together);
    quorum.meet(at(4));
    assert_eq!(quorum.decide(&sees("---+"), at(4)), Standpoint::Alone, "the other is silent");
    assert_eq!(out(&quorum), "---+");
    quorum.hear("b", sees("++++"), at(5));
    quorum.meet(at(5));
    assert_eq!(quorum.decide(&sees("---+"), at(5)), Standpoint::Together);
    quorum.leave("b");
    assert_eq!(quorum.decide(&sees("---+"), at(5)), Standpoint::Alone, "it said that it goes");
    let mut quorum = self::quorum();
    assert_eq!(quorum.decide(&sees("---+"), at(9)), Standpoint::Alone, "there is no such place");
    quorum.meet(at(10));
    assert_eq!(quorum.decide(&sees("+---"), at(14)), Standpoint::Holding, "never reached");
}

#[test]
fn what_all_see_is_so() {
    let mut quorum = quorum();
    quorum.hear("b", sees("----"), at(0));
    assert_eq!(quorum.decide(&sees("----"), at(0)), Standpoint::Together);
    assert_eq!(out(&quorum), "----");
    assert_eq!(
        self::quorum().decide(&sees("----"), at(0)),
        Standpoint::Holding,
        "alone it is not sure"
    );
    let mut single = self::quorum();
    assert_eq!(single.decide(&sees("-"), at(0)), Standpoint::Alone);
    assert!(single.is_out(&0));
}
