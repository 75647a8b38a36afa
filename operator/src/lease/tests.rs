use super::*;

fn lease(holder: Option<&str>, version: &str) -> Object {
    let spec = LeaseSpec {
        holder_identity: holder.map(str::to_owned),
        lease_duration_seconds: Some(6),
        ..LeaseSpec::default()
    };
    let metadata = ObjectMeta { resource_version: Some(version.into()), ..ObjectMeta::default() };
    Object { metadata, spec: Some(spec) }
}

const fn at(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[test]
fn nobody_waits_for_what_nobody_has() {
    assert_eq!(decide(None, "me", at(0)), Step::Create);
    for holder in [None, Some("")] {
        let seen = Seen::of(&lease(holder, "1"), None, at(9));
        assert_eq!(decide(Some(&seen), "me", at(9)), Step::Take);
    }
}

#[test]
fn another_is_waited_for_until_it_was_silent_for_too_long() {
    let first = Seen::of(&lease(Some("you"), "1"), None, at(100));
    assert_eq!(decide(Some(&first), "me", at(100)), Step::Wait);
    let renewed = Seen::of(&lease(Some("you"), "2"), Some(&first), at(105));
    assert_eq!(decide(Some(&renewed), "me", at(110)), Step::Wait);
    let silent = Seen::of(&lease(Some("you"), "2"), Some(&renewed), at(111));
    assert_eq!(decide(Some(&silent), "me", at(111)), Step::Take);
}

#[test]
fn what_is_ours_is_taken_again() {
    let seen = Seen::of(&lease(Some("me"), "1"), None, at(0));
    assert_eq!(decide(Some(&seen), "me", at(0)), Step::Take);
}

#[test]
fn a_leader_stops_before_others_take_over() {
    assert!(GIVEN_UP < HELD);
    assert!(RENEWED * 2 < GIVEN_UP, "one lost renewal is survived");
}
