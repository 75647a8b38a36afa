use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;

pub(super) fn member(name: &str, weight: u32) -> Member {
    Member { name: name.into(), url: "http://127.0.0.1:1".into(), weight, pop: None, public: None }
}

/// `s0` and on, of equal weight.
pub(super) fn equals(count: usize) -> Vec<Member> {
    (0..count).map(|n| member(&format!("s{n}"), 100)).collect()
}

/// The hashes of keys as they come.
pub(super) fn keys(count: usize) -> impl Iterator<Item = u64> {
    (0..count).map(|n| hash_key(format!("https://cdn.example.com/img/{n}.png").as_bytes()))
}

pub(super) fn name(ring: &HashRing, place: usize) -> &str {
    &ring.members()[place].name
}

fn owner(ring: &HashRing, key: u64) -> &str {
    name(ring, ring.owner(key).expect("somebody owns something"))
}

fn counts(ring: &HashRing, count: usize) -> BTreeMap<&str, usize> {
    let mut counts = BTreeMap::new();
    for key in keys(count) {
        *counts.entry(owner(ring, key)).or_default() += 1;
    }
    counts
}

/// The format written down a second time, as slow as it is plain.
fn naive(members: &[Member], key: u64) -> Vec<String> {
    let mut points = BTreeSet::new();
    for member in members {
        for index in 0..u64::from(member.weight) * 1024 / 100 {
            let index = (index as u32).to_le_bytes();
            let bytes = [member.name.as_bytes(), &[0], &index].concat();
            points.insert((xxh3_64(&bytes), member.name.clone()));
        }
    }
    let (at_or_after, before): (Vec<_>, Vec<_>) =
        points.into_iter().partition(|(point, _)| *point >= key);
    let mut names = Vec::new();
    for (_, name) in at_or_after.into_iter().chain(before) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

#[test]
fn the_hash_is_xxh3_without_a_seed() {
    // What the reference implementation answers for no input.
    assert_eq!(hash_key(b""), 0x2d06_8005_38d3_94c2);
}

#[test]
fn ten_thousand_keys_are_within_a_tenth_of_even() {
    let ring = HashRing::new(&equals(5));
    let counts = counts(&ring, 10_000);
    assert_eq!(counts.len(), 5);
    for (name, count) in counts {
        assert!((1800..=2200).contains(&count), "{name}: {count}");
    }
    for share in ring.shares() {
        assert!((0.18..=0.22).contains(&share), "{share}");
    }
}

#[test]
fn a_member_that_comes_or_goes_moves_its_own_keys_only() {
    let five = HashRing::new(&equals(5));
    let six = HashRing::new(&equals(6));
    let mut moved = 0;
    for key in keys(10_000) {
        let (before, after) = (owner(&five, key), owner(&six, key));
        if before != after {
            assert_eq!(after, "s5");
            moved += 1;
        }
    }
    // One of six comes: at most 1/6 and 2 % more. Seen the other way, the same keys move when it goes.
    assert!((1_200..=1_867).contains(&moved), "{moved}");

    for gone in 0..6 {
        let mut members = equals(6);
        let gone = members.remove(gone).name;
        let rest = HashRing::new(&members);
        let mut moved = 0;
        for key in keys(10_000) {
            let (before, after) = (owner(&six, key), owner(&rest, key));
            assert_eq!(before == gone, before != after);
            moved += usize::from(before != after);
        }
        assert!(moved <= 1_867, "{gone}: {moved}");
    }
}

#[test]
fn more_weight_takes_keys_and_gives_none() {
    let ring = |weight| HashRing::new(&[member("a", 100), member("b", weight), member("c", 100)]);
    let (light, heavy) = (ring(100), ring(150));
    for key in keys(10_000) {
        let (before, after) = (owner(&light, key), owner(&heavy, key));
        assert!(before == after || after == "b");
    }
}

#[test]
fn shares_follow_weights() {
    for (light, heavy) in [(100, 300), (50, 150)] {
        let ring = HashRing::new(&[member("a", light), member("b", heavy)]);
        let counts = counts(&ring, 10_000);
        let ratio = counts["b"] as f64 / counts["a"] as f64;
        assert!((2.55..=3.45).contains(&ratio), "{light}:{heavy} became {ratio}");
    }
}

#[test]
fn points_are_in_proportion_and_at_least_one() {
    let points = |weight| HashRing::new(&[member("a", weight)]).points();
    assert_eq!([0, 1, 10, 100, 1000].map(points), [0, 10, 102, 1024, 10_240]);
    assert_eq!(points(u32::MAX), 10_240, "bounded");
}

#[test]
fn nobody_owns_nothing() {
    let nobody = [vec![], vec![member("a", 0), member("b", 0)]];
    for members in nobody {
        let ring = HashRing::new(&members);
        assert_eq!(ring.owner(7), None);
        assert_eq!(ring.successors(7).count(), 0);
        assert_eq!(ring.shares(), vec![0.0; members.len()]);
    }
    let ring = HashRing::new(&[member("a", 0), member("b", 1)]);
    assert_eq!(ring.successors(7).collect::<Vec<_>>(), [1]);
    assert_eq!(ring.shares(), [0.0, 1.0]);
}

#[test]
fn a_key_belongs_to_the_point_at_it_or_after_it() {
    let ring = HashRing::new(&equals(3));
    for place in [0, 1, 1500, ring.points() - 1] {
        let (point, owner) = (ring.points[place], ring.owners[place] as usize);
        assert_eq!(ring.owner(point), Some(owner));
        let next = ring.owners[(place + 1) % ring.points()] as usize;
        assert_eq!(ring.owner(point + 1), Some(next));
    }
    assert_eq!(ring.owner(0), ring.owner(u64::MAX), "behind the last is the first");
}

/// Equal points are too rare to be found, so they are made.
#[test]
fn equal_points_are_of_the_first_name_and_of_both() {
    let ring = HashRing {
        members: equals(2).into(),
        points: [5, 5, 9].into(),
        owners: [0, 1, 1].into(),
        owning: 2,
    };
    assert_eq!(ring.successors(3).collect::<Vec<_>>(), [0, 1]);
    assert_eq!(ring.successors(6).collect::<Vec<_>>(), [1, 0]);
    assert_eq!(ring.arcs(), [(1 << 64) - 4, 4]);
    let one_place = HashRing {
        members: equals(2).into(),
        points: [5, 5].into(),
        owners: [0, 1].into(),
        owning: 2,
    };
    assert_eq!(one_place.arcs(), [1 << 64, 0]);
}

#[test]
fn a_name_counts_once_and_owns_wherever_it_is() {
    let at = |url: &str| Member { url: url.into(), ..member("s1", 100) };
    let mut members = equals(3);
    let before = HashRing::new(&members);
    members.push(at("http://10.0.0.9:1"));
    members.push(at("http://10.0.0.8:1"));
    let ring = HashRing::new(&members);
    assert_eq!(ring.members()[1].url, "http://10.0.0.8:1");
    assert_eq!(ring.members().len(), 3);
    assert_eq!(ring.digest(), before.digest());
    members.reverse();
    assert_eq!(HashRing::new(&members).members(), ring.members());
}

#[test]
fn the_digest_tells_rings_apart() {
    let digest = |members: &[Member]| HashRing::new(members).digest();
    let digests = [
        digest(&[]),
        digest(&equals(4)),
        digest(&equals(5)),
        digest(&[member("s0", 100), member("s1", 101)]),
        digest(&[member("s0", 100), member("s2", 100)]),
        digest(&[member("s0", 101), member("s1", 100)]),
    ];
    assert_eq!(BTreeSet::from(digests).len(), digests.len());
}

#[test]
fn a_thousand_members_and_more() {
    let members: Vec<_> = (0..1_100).map(|n| member(&format!("s{n}"), 1)).collect();
    let ring = HashRing::new(&members);
    let all: BTreeSet<_> = ring.successors(1 << 40).collect();
    assert_eq!(all.len(), 1_100);
    assert_eq!(ring.successors(1 << 40).len(), 1_100);
}

prop_compose! {
    fn some_members()(
        all in proptest::collection::btree_map("[a-c]{1,2}", 0u32..30, 0..8)
    ) -> Vec<Member> {
        all.iter().map(|(name, weight)| member(name, *weight)).collect()
    }
}

proptest! {
    #[test]
    fn it_is_what_the_format_says(members in some_members(), key in any::<u64>()) {
        let ring = HashRing::new(&members);
        let names: Vec<_> = ring.successors(key).map(|place| name(&ring, place)).collect();
        prop_assert_eq!(names, naive(&members, key));
    }

    #[test]
    fn successors_are_distinct_and_all_and_begin_with_the_owner(
        members in some_members(),
        key in any::<u64>(),
    ) {
        let ring = HashRing::new(&members);
        let successors: Vec<_> = ring.successors(key).collect();
        prop_assert_eq!(ring.owner(key), successors.first().copied());
        let distinct: BTreeSet<_> = successors.iter().copied().collect();
        prop_assert_eq!(distinct.len(), successors.len());
        let weighty = ring.members().iter().filter(|member| member.weight > 0).count();
        prop_assert_eq!(successors.len(), weighty);
        prop_assert_eq!(ring.successors(key).len(), weighty);
    }

    #[test]
    fn the_second_owns_it_when_the_first_goes(members in some_members(), key in any::<u64>()) {
        let ring = HashRing::new(&members);
        let names: Vec<_> = ring.successors(key).map(|place| name(&ring, place)).collect();
        prop_assume!(!names.is_empty());
        let mut rest = members.clone();
        rest.retain(|member| member.name != names[0]);
        let rest = HashRing::new(&rest);
        let after: Vec<_> = rest.successors(key).map(|place| name(&rest, place)).collect();
        prop_assert_eq!(&names[1..], &after[..]);
    }

    #[test]
    fn the_order_they_come_in_means_nothing(
        (members, shuffled) in some_members()
            .prop_flat_map(|members| (Just(members.clone()), Just(members).prop_shuffle())),
        key in any::<u64>(),
    ) {
        let (a, b) = (HashRing::new(&members), HashRing::new(&shuffled));
        prop_assert_eq!(a.digest(), b.digest());
        prop_assert_eq!(a.members(), b.members());
        prop_assert_eq!(a.owner(key), b.owner(key));
    }

    #[test]
    fn shares_are_all_there_is(members in some_members()) {
        let ring = HashRing::new(&members);
        prop_assume!(ring.points() > 0);
        prop_assert_eq!(ring.arcs().iter().sum::<u128>(), 1u128 << 64);
        prop_assert!((ring.shares().iter().sum::<f64>() - 1.0).abs() < 1e-12);
        for (member, arc) in ring.members().iter().zip(ring.arcs()) {
            prop_assert_eq!(member.weight == 0, arc == 0);
        }
    }
}
