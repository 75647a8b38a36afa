use super::Ghosts;

fn hash(n: u64) -> u64 {
    n.wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

#[test]
fn the_latest_are_remembered_by_weight() {
    for most in [100, 5_000] {
        let mut ghosts = Ghosts::new();
        for n in 0..10 * most {
            ghosts.add(hash(n), 160, 160 * most);
        }
        let len = ghosts.len() as u64;
        assert!(len > most * 8 / 10 && len < most * 13 / 10, "{len} of {most}");
        let old = (0..8 * most).filter(|n| ghosts.take(hash(*n))).count() as u64;
        assert!(old * 100 < most, "{old} of {most}");
        let latest = (9 * most + most / 4..10 * most).filter(|n| ghosts.take(hash(*n))).count();
        assert!(latest as u64 * 4 > most * 3 * 85 / 100, "{latest} of {most}");
        assert!(!ghosts.take(hash(10 * most - 1)));
    }
}

#[test]
fn who_left_twice_is_remembered_from_the_second_time() {
    let mut ghosts = Ghosts::new();
    assert!(!ghosts.take(hash(1)));
    ghosts.add(hash(1), 16, 3_200);
    for n in 1_000..1_150 {
        ghosts.add(hash(n), 16, 3_200);
    }
    let len = ghosts.len();
    ghosts.add(hash(1), 16, 3_200);
    assert_eq!(ghosts.len(), len);
    for n in 2_000..2_100 {
        ghosts.add(hash(n), 16, 3_200);
    }
    assert!(ghosts.take(hash(1)));
    assert!(!ghosts.take(hash(1)));
}

#[test]
fn the_table_follows_what_may_be_remembered() {
    let mut ghosts = Ghosts::new();
    for n in 0..200 {
        ghosts.add(hash(n), 16, 16 * 200);
    }
    let small = ghosts.overhead();
    for n in 200..20_000 {
        ghosts.add(hash(n), 16, 16 * 20_000);
    }
    assert!(ghosts.overhead() > 8 * small && ghosts.overhead() <= 8 * 20_000);
    let kept = (0..20_000).filter(|n| ghosts.take(hash(*n))).count();
    assert!(kept > 18_000, "{kept}");
    for n in 0..200 {
        ghosts.add(hash(n), 16, 16 * 200);
    }
    assert_eq!(ghosts.overhead(), small);
    assert!(ghosts.len() <= 256);
    assert!(ghosts.take(hash(199)));
}
