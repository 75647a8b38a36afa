use std::sync::Arc;

use parking_lot::Mutex;
use serde_json::{Value, json};

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

/// An API server with one lease, which refuses a write of another version than the one it has.
fn api(held_by: Option<&str>) -> (Client, crate::fake::Log, Arc<Mutex<Value>>) {
    let first = held_by.map_or(Value::Null, |holder| {
        json!({
            "metadata": { "name": "lease", "resourceVersion": "1" },
            "spec": { "holderIdentity": holder, "leaseDurationSeconds": 7 },
        })
    });
    let stored = Arc::new(Mutex::new(first));
    let kept = Arc::clone(&stored);
    let (client, log) = crate::fake::server(move |asked| {
        let mut stored = kept.lock();
        let version =
            |lease: &Value| lease["metadata"]["resourceVersion"].as_str().map(str::to_owned);
        match asked.method.as_str() {
            "GET" if stored.is_null() => return crate::fake::refusal(404, "none"),
            "GET" => {}
            "POST" if !stored.is_null() => return crate::fake::refusal(409, "there is one"),
            _ if !stored.is_null() && version(&asked.body) != version(&stored) => {
                return crate::fake::refusal(409, "changed");
            }
            _ => {
                let next =
                    version(&stored).and_then(|v| v.parse::<u64>().ok()).unwrap_or_default() + 1;
                *stored = asked.body.clone();
                stored["metadata"]["resourceVersion"] = json!(next.to_string());
            }
        }
        (200, stored.clone())
    });
    (client, log, stored)
}

fn holder(stored: &Mutex<Value>) -> Value {
    stored.lock()["spec"]["holderIdentity"].clone()
}

#[tokio::test(start_paused = true)]
async fn a_lease_is_made_kept_and_given_up() {
    let (client, _log, stored) = api(None);
    let clock = Clock::manual(0);
    let mut mine = Lease::new(client.clone(), "own", "lease", "me", clock.clone());
    mine.lead().await;
    assert_eq!(holder(&stored), "me");
    assert!(mine.renew().await.unwrap());
    let mut yours = Lease::new(client, "own", "lease", "you", clock);
    assert!(!yours.try_take().await.unwrap());
    mine.release().await;
    assert_eq!(holder(&stored), Value::Null);
    assert!(yours.try_take().await.unwrap());
    assert_eq!(holder(&stored), "you");
    assert!(!mine.renew().await.unwrap(), "who gave it up has it no more");
}

/// What is left when a release was uninstalled goes, also if another operator made it meanwhile.
#[tokio::test(start_paused = true)]
async fn a_lease_goes_with_its_owner() {
    let owner = OwnerReference { uid: "7".to_owned(), ..OwnerReference::default() };
    let owners = |stored: &Mutex<Value>| stored.lock()["metadata"]["ownerReferences"].clone();
    for held_by in [None, Some("me")] {
        let (client, _log, stored) = api(held_by);
        let lease = Lease::new(client, "own", "lease", "me", Clock::manual(0));
        let mut lease = lease.owned(Some(owner.clone()));
        lease.lead().await;
        assert!(lease.renew().await.unwrap());
        assert_eq!(owners(&stored)[0]["uid"], "7", "{held_by:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_silent_leader_is_followed_and_notices() {
    let (client, _log, stored) = api(None);
    let clock = Clock::manual(0);
    let mut dead = Lease::new(client.clone(), "own", "lease", "dead", clock.clone());
    dead.lead().await;
    let mut next = Lease::new(client, "own", "lease", "next", clock.clone());
    assert!(!next.try_take().await.unwrap());
    clock.advance(HELD);
    assert!(next.try_take().await.unwrap());
    assert_eq!(holder(&stored), "next");
    assert_eq!(stored.lock()["spec"]["leaseTransitions"], 1);
    assert!(!dead.renew().await.unwrap());
    dead.keep().await;
}

#[tokio::test(start_paused = true)]
async fn who_cannot_renew_in_time_stops() {
    let clock = Clock::manual(0);
    let ticking = clock.clone();
    let (client, _log) = crate::fake::server(move |asked| {
        if asked.method == "PUT" {
            ticking.advance(Duration::from_secs(2));
            return crate::fake::refusal(500, "etcd is away");
        }
        crate::fake::agree(asked)
    });
    let mut lease = Lease::new(client, "own", "lease", "me", clock.clone());
    lease.object = Some(self::lease(Some("me"), "1"));
    lease.keep().await;
    assert!(clock.monotonic() >= GIVEN_UP && clock.monotonic() < HELD);
}

#[tokio::test]
async fn a_keeper_tells_and_gives_up() {
    let (client, _log, stored) = api(None);
    let clock = Clock::manual(0);
    let make = move || Ok(Lease::new(client, "own", "lease", "me", clock));
    let mut keeper = Keeper::start(make).unwrap();
    assert!(keeper.until(Lead::Leading).await);
    assert_eq!(holder(&stored), "me");
    keeper.end().await;
    assert_eq!(holder(&stored), Value::Null);
    let clock = Clock::manual(0);
    let wrong = Keeper::start(move || {
        let _unused = clock;
        Err(kube::Error::LinesCodecMaxLineLengthExceeded)
    });
    assert!(!wrong.unwrap().until(Lead::Leading).await);
}
