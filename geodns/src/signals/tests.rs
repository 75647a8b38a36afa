use super::*;

fn member(node: &str, ready: bool, draining: bool, unheard: u64) -> Member {
    let beat = Heartbeat {
        node: node.into(),
        pool: "web".into(),
        pop: Some("fra".into()),
        ready: Some(ready),
        draining,
        ..Heartbeat::default()
    };
    let unheard = Duration::from_secs(unheard);
    Member { beat, silent: unheard, unheard }
}

#[test]
fn only_what_is_new_is_a_signal() {
    let mut signals = Signals::default();
    let mut whys = |members: &[Member]| {
        signals.take(members).into_iter().map(|signal| signal.why).collect::<Vec<_>>()
    };
    let well = || member("a", true, false, 0);
    assert_eq!(whys(&[member("a", false, false, 0)]), [], "it starts");
    assert_eq!(whys(&[well()]), []);
    assert_eq!(whys(&[member("a", false, false, 0)]), [Passive::NotReady]);
    assert_eq!(whys(&[member("a", false, false, 0)]), [], "known");
    assert_eq!(whys(&[member("a", true, true, 0)]), [Passive::Draining]);
    assert_eq!(whys(&[well(), member("b", true, false, 9)]), [], "b was missing before");
    assert_eq!(
        whys(&[member("a", true, false, 5), member("b", true, false, 10)]),
        [Passive::Missing]
    );
    assert_eq!(whys(&[]), [], "they were missing before");
    assert_eq!(whys(&[well()]), []);
    assert_eq!(whys(&[]), [Passive::Missing], "it said goodbye");
    assert_eq!(whys(&[member("a", true, false, 60)]), []);
}

#[test]
fn a_node_without_a_place_speaks_for_no_address() {
    let mut signals = Signals::default();
    let nowhere = |unheard| {
        let mut member = member("a", true, false, unheard);
        member.beat.pop = None;
        member
    };
    assert_eq!(signals.take(&[nowhere(0)]), []);
    assert_eq!(signals.take(&[nowhere(9)]), []);
    signals.take(&[member("b", true, false, 0)]);
    let signal = Signal { pool: "web".into(), pop: "fra".into(), why: Passive::Missing };
    assert_eq!(signals.take(&[member("b", true, false, 9)]), [signal]);
}
