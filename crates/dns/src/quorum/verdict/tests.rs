use super::*;
use crate::quorum::QuorumSettings;
use Condition::{Degraded, Healthy, Unhealthy, Unknown};

fn at(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// An observer with two targets.
struct Observer {
    quorum: Quorum<usize>,
    verdicts: Verdicts<usize>,
}

impl Observer {
    fn new() -> Self {
        Self { quorum: Quorum::new(QuorumSettings::default()), verdicts: Verdicts::default() }
    }

    fn sees(&mut self, own: [Condition; 2], seconds: u64) -> (Standpoint, [Condition; 2]) {
        let own: Vec<_> = own.into_iter().enumerate().collect();
        let standpoint = self.verdicts.decide(&mut self.quorum, &own, at(seconds));
        (standpoint, [0, 1].map(|target| self.verdicts.condition(&target)))
    }

    fn hears(&mut self, name: &str, first: bool, seconds: u64) {
        self.quorum.hear(name, [(0, first), (1, true)].into(), at(seconds));
    }
}

#[test]
fn alone_it_believes_what_it_sees() {
    let mut one = Observer::new();
    assert_eq!(one.verdicts.condition(&0), Unknown);
    for own in [[Unknown, Healthy], [Healthy, Degraded], [Unhealthy, Healthy], [Degraded, Healthy]]
    {
        assert_eq!(one.sees(own, 0), (Standpoint::Alone, own));
    }
    assert_eq!(
        one.sees([Unhealthy, Unhealthy], 1),
        (Standpoint::Holding, [Degraded, Healthy]),
        "both at once is not believed"
    );
}

#[test]
fn what_the_others_agree_on_counts_and_comes_back_by_degrees() {
    let mut one = Observer::new();
    for name in ["b", "c"] {
        one.hears(name, true, 0);
    }
    let (standpoint, stand) = one.sees([Unhealthy, Healthy], 0);
    assert_eq!((standpoint, stand), (Standpoint::Together, [Unknown, Healthy]), "never well here");
    assert_eq!(one.sees([Healthy, Healthy], 0).1, [Healthy, Healthy]);
    assert_eq!(one.sees([Unhealthy, Healthy], 0).1, [Healthy, Healthy], "the others see it");
    for name in ["b", "c"] {
        one.hears(name, false, 1);
    }
    assert_eq!(one.sees([Healthy, Healthy], 1).1, [Unhealthy, Healthy]);
    assert_eq!(one.sees([Unhealthy, Healthy], 1).1, [Unhealthy, Healthy]);
    for name in ["b", "c"] {
        one.hears(name, true, 2);
    }
    assert_eq!(one.sees([Unhealthy, Healthy], 2).1, [Degraded, Healthy]);
    assert_eq!(one.sees([Unhealthy, Healthy], 2).1, [Degraded, Healthy]);
    assert_eq!(one.sees([Healthy, Healthy], 2).1, [Healthy, Healthy]);
}

#[test]
fn who_is_cut_off_keeps_its_last_good_view() {
    let mut one = Observer::new();
    one.hears("b", false, 0);
    one.hears("c", false, 0);
    assert_eq!(one.sees([Unhealthy, Degraded], 0).1, [Unhealthy, Degraded]);
    assert_eq!(one.sees([Unhealthy, Healthy], 0).1, [Unhealthy, Healthy]);
    for seconds in [2, 10, 100, 600] {
        assert_eq!(one.sees([Unhealthy, Unhealthy], seconds).1, [Unhealthy, Healthy]);
    }
}

#[test]
fn a_ballot_has_what_is_known() {
    let own = [(0, Unknown), (1, Healthy), (2, Degraded), (3, Unhealthy)];
    assert_eq!(ballot(&own), Ballot::from([(1, true), (2, true), (3, false)]));
}
