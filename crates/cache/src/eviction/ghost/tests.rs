use super::Ghosts;

fn hash(n: u64) -> u64 {
    n.wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

#[test]
fn the_latest_are_remembered_by_weight() {
    let mut ghosts = Ghosts::new();
    for n in 0..100 {
        ghosts.add(hash(n), 160);
        ghosts.trim(1_600);
    }
    assert_eq!(ghosts.len(), 10);
    assert!(!ghosts.take(hash(89)));
    assert!(ghosts.take(hash(90)));
    assert!(!ghosts.take(hash(90)));
}

#[test]
fn who_left_twice_is_remembered_from_the_second_time() {
    let mut ghosts = Ghosts::new();
    ghosts.add(hash(1), 16);
    ghosts.add(hash(2), 16);
    ghosts.add(hash(1), 16);
    ghosts.trim(16);
    assert_eq!(ghosts.len(), 1);
    assert!(ghosts.take(hash(1)));
    ghosts.trim(0);
    assert_eq!(ghosts.len(), 0);
}
