use std::collections::BTreeMap;

use upstream::ring::{PickReason, hash_key};
use upstream::{Clients, Policy, empty_body};
use wire::fleet::Member;
use wire::snapshot::{Retries, Timeouts};

use super::*;

const RAMP: Duration = Duration::from_secs(10);
const BOUNDS: Bounds = Bounds { load: 125, ramp: RAMP };
const HERE: Here<'_> = Here { name: "a", ring: Some("pop/p/fra") };
const START: Duration = Duration::from_secs(100);

/// A fleet with one ring, its members by name: `a` is at port 1, `b` at 2 and so on, unless a port follows.
fn fleet(members: &[&str]) -> Fleet {
    let members = members.iter().map(|member| {
        let usual = (member.as_bytes()[0] - b'a' + 1).to_string();
        let (name, port) = member.split_once(':').unwrap_or((member, &usual));
        let url = format!("http://127.0.0.1:{port}");
        Member { name: name.to_owned(), url, weight: 100, pop: None, public: None }
    });
    let ring = wire::fleet::Ring { members: members.collect() };
    Fleet { format: 1, version: "v".into(), rings: BTreeMap::from([("r".into(), ring)]) }
}

/// What a node called `a` sees.
struct View {
    targets: Arc<Targets>,
    rings: Rings,
}

impl View {
    fn new(members: &[&str]) -> Self {
        let view = Self { targets: Targets::new(), rings: Rings::default() };
        view.then(members, START)
    }

    fn then(mut self, members: &[&str], now: Duration) -> Self {
        self.rings = Rings::new(fleet(members), &self.rings, &self.targets, HERE, now).unwrap();
        self
    }

    fn ring(&self) -> &Ring {
        self.rings.get("r").unwrap()
    }

    fn joined(&self, name: &str) -> Option<Duration> {
        self.ring().member(name).unwrap().joined
    }

    fn names(&self, key: u64) -> Vec<&str> {
        let hash = &self.ring().hash;
        hash.successors(key).map(|member| hash.members()[member].name.as_str()).collect()
    }

    /// A key of `owner`, whose next is `then`.
    fn key(&self, owner: &str, then: &str) -> u64 {
        keys().find(|key| self.names(*key)[..2] == [owner, then]).unwrap()
    }

    fn pick(&self, key: u64, now: Duration, tried: &[&str]) -> Option<(&str, PickReason)> {
        let ring = self.ring();
        let place = |name: &&str| ring.hash.members().iter().position(|m| m.name == *name).unwrap();
        let tried: Vec<_> = tried.iter().map(place).collect();
        let pick = ring.pick(key, BOUNDS, now, &tried)?;
        Some((ring.hash.members()[pick.member].name.as_str(), pick.reason))
    }

    /// Asks `name` in vain until it counts as down.
    async fn lose(&self, name: &str) {
        let target = self.ring().member(name).unwrap().target.clone();
        let clients = Clients::default();
        let once =
            Policy::new(&Timeouts::default(), &Retries { attempts: 1, ..Retries::default() });
        while target.is_usable() {
            let head = http::Request::get("/").body(()).unwrap().into_parts().0;
            let order = [target.clone()];
            let asked = upstream::fetch(&clients, &once, 0, &order, head, empty_body());
            assert!(asked.await.is_err(), "nobody listens there");
        }
    }
}

fn keys() -> impl Iterator<Item = u64> {
    (0..10_000u32).map(|n| hash_key(&n.to_le_bytes()))
}

#[test]
fn who_was_there_before_is_not_new() {
    let view = View::new(&["a", "b"]);
    assert_eq!(view.joined("a"), Some(START), "this node itself has just come");
    assert_eq!(view.joined("b"), None);
    let key = view.key("b", "a");
    assert_eq!(view.pick(key, START, &[]), Some(("b", PickReason::Owner)));
}

#[test]
fn what_is_known_is_carried_over_and_who_comes_is_new() {
    let view = View::new(&["a", "b"]);
    let before = view.ring().member("b").unwrap().target.clone();
    let later = START + RAMP;
    let view = view.then(&["a", "b", "c"], later);
    assert_eq!((view.joined("a"), view.joined("b")), (Some(START), None));
    assert_eq!(view.joined("c"), Some(later));
    assert!(Arc::ptr_eq(&before, &view.ring().member("b").unwrap().target));
    // Whoever was away is new again.
    let view = view.then(&["a", "c"], later + RAMP).then(&["a", "b", "c"], later + 2 * RAMP);
    assert_eq!(view.joined("b"), Some(later + 2 * RAMP));
    assert_eq!(view.joined("c"), Some(later));
}

#[test]
fn another_address_is_another_process_but_for_this_node_itself() {
    let view = View::new(&["a", "b"]).then(&["a:9", "b:9"], START + RAMP);
    assert_eq!(view.joined("a"), Some(START));
    assert_eq!(view.joined("b"), Some(START + RAMP));
}

#[test]
fn a_ring_that_was_empty_begins_at_once() {
    let view = View::new(&[]);
    assert_eq!(view.pick(7, START, &[]), None);
    let view = view.then(&["b", "c"], START + RAMP);
    assert_eq!((view.joined("b"), view.joined("c")), (None, None));
}

#[test]
fn what_is_in_hand_is_carried_over() {
    let view = View::new(&["a", "b"]);
    let taken = view.ring().in_hand.take();
    let view = view.then(&["a", "b", "c"], START);
    assert_eq!(view.ring().in_hand.count(), 1);
    drop(taken);
    assert_eq!(view.ring().in_hand.count(), 0);
}

#[test]
fn a_newcomer_takes_its_keys_over_its_ramp_from_who_is_next() {
    let view = View::new(&["a", "b"]).then(&["a", "b", "c"], START);
    let mine: Vec<u64> = keys().filter(|key| view.names(*key)[0] == "c").collect();
    let taken = |now: Duration| {
        let mut taken = 0;
        for key in &mine {
            match view.pick(*key, now, &[]).unwrap() {
                ("c", PickReason::Owner) => taken += 1,
                (next, PickReason::OwnerWarming) => assert_eq!(next, view.names(*key)[1]),
                other => panic!("{other:?}"),
            }
        }
        taken as f64 / mine.len() as f64
    };
    assert_eq!(taken(START), 0.0);
    let half = taken(START + RAMP / 2);
    assert!((0.45..0.55).contains(&half), "{half}");
    assert_eq!(taken(START + RAMP), 1.0);
    assert!(view.ring().member("c").unwrap().ramp(RAMP, START).is_some());
    assert!(view.ring().member("c").unwrap().ramp(RAMP, START + RAMP).is_none());
    assert!(view.ring().member("b").unwrap().ramp(RAMP, START).is_none());
}

#[test]
fn where_all_are_new_the_owners_begin() {
    let all = ["b", "c", "d"];
    let view = View::new(&["x"]).then(&all, START);
    for key in keys().take(100) {
        let owner = view.names(key)[0];
        assert_eq!(view.pick(key, START, &[]), Some((owner, PickReason::Owner)));
        let next = view.names(key)[1];
        assert_eq!(view.pick(key, START, &[owner]), Some((next, PickReason::OwnerDown)));
        assert_eq!(view.pick(key, START, &all), None);
    }
}

#[tokio::test]
async fn who_is_down_or_was_tried_is_passed_over() {
    let view = View::new(&["a", "b", "c"]);
    let (then_c, then_a) = (view.key("b", "c"), view.key("b", "a"));
    assert_eq!(view.pick(then_c, START, &["b"]), Some(("c", PickReason::OwnerDown)));
    view.lose("b").await;
    assert_eq!(view.pick(then_c, START, &[]), Some(("c", PickReason::OwnerDown)));
    assert_eq!(view.pick(then_a, START, &[]), Some(("a", PickReason::OwnerDown)));
    assert_eq!(view.pick(then_c, START, &["c"]), Some(("a", PickReason::OwnerDown)));
    assert_eq!(view.pick(then_c, START, &["c", "a"]), None);
}

#[test]
fn this_nodes_own_load_counts_as_others_do() {
    let view = View::new(&["a", "b"]);
    let key = view.key("a", "b");
    let mut taken: Vec<_> = (0..SLACK).map(|_| view.ring().in_hand.take()).collect();
    assert_eq!(view.pick(key, START, &[]), Some(("a", PickReason::Owner)));
    taken.extend((0..10).map(|_| view.ring().in_hand.take()));
    assert_eq!(view.pick(key, START, &[]), Some(("b", PickReason::OwnerBusy)));
    let shields = Bounds { load: u32::MAX, ramp: RAMP };
    let pick = view.ring().pick(key, shields, START, &[]).unwrap();
    assert_eq!(pick.reason, PickReason::Owner, "a bound that nothing reaches");
    drop(taken);
    assert_eq!(view.pick(key, START, &[]), Some(("a", PickReason::Owner)));
}

#[tokio::test]
async fn the_previous_owner_is_the_next_that_is_there_for_a_while() {
    let view = View::new(&["a", "b", "c"]);
    let ring = view.ring();
    let key = view.key("a", "b");
    assert!(ring.previous_owner(key, BOUNDS, START).is_some());
    let end = START + RAMP * INHERITS;
    assert!(ring.previous_owner(key, BOUNDS, end - Duration::from_millis(1)).is_some());
    assert!(ring.previous_owner(key, BOUNDS, end).is_none());
    let at_once = Bounds { ramp: Duration::ZERO, ..BOUNDS };
    assert!(ring.previous_owner(key, at_once, START).is_none());
    // Nobody is asked for what it cannot have: those who are down.
    let view = View::new(&["a", "b", "c"]);
    let key = view.key("a", "b");
    let previous = || view.ring().previous_owner(key, BOUNDS, START).map(|target| target.name());
    assert_eq!(previous(), Some("127.0.0.1:2"));
    view.lose("b").await;
    assert_eq!(previous(), Some("127.0.0.1:3"));
    view.lose("c").await;
    assert_eq!(previous(), None);
}

#[test]
fn a_node_that_is_on_no_ring_inherits_nothing() {
    let view = View::new(&["b", "c"]);
    assert!(view.ring().previous_owner(7, BOUNDS, START).is_none());
}

#[test]
fn a_member_that_cannot_be_used_is_an_error() {
    let mut broken = fleet(&["b"]);
    broken.rings.get_mut("r").unwrap().members[0].url = "ftp://b".into();
    let made = Rings::new(broken, &Rings::default(), &Targets::new(), HERE, START);
    assert!(made.is_err());
}

/// Else each edge of a network would ask each other one all the time, over links that need not be there.
#[test]
fn the_edges_of_other_places_are_not_asked_whether_they_are_there() {
    let ring = fleet(&["a", "b"]).rings.remove("r").unwrap();
    let names = ["pop/p/fra", "pop/p/iad", "shield/s"];
    let rings = names.map(|name| (name.to_owned(), ring.clone())).into();
    let fleet = Fleet { format: 1, version: "v".into(), rings };
    let rings = Rings::new(fleet, &Rings::default(), &Targets::new(), HERE, START).unwrap();
    let probed = |ring: &str| {
        let mut members = rings.get(ring).unwrap().members.iter();
        members.all(|member| member.here || member.target.settings().probe.is_some())
    };
    assert_eq!(names.map(probed), [true, false, true]);
}
