use std::sync::{Arc, Weak};

use semantics::Timestamp;
use wire::EvictionPolicy::{self, Lfu, Lru, S3Fifo};

use super::{Evictor, Unit};
use crate::accounts::Accounts;
use crate::mark::Mark;

fn setup(kind: EvictionPolicy) -> (Evictor, Arc<Accounts>) {
    (Evictor::new(kind), Arc::new(Accounts::new(Weak::new())))
}

fn unit(n: u64, accounts: &Arc<Accounts>) -> Unit {
    let hash = n.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    Unit::Mark(Mark::new(hash, None, false, Timestamp::from_secs(0), accounts.clone()))
}

fn drain(evictor: &Evictor, accounts: &Arc<Accounts>) -> Vec<u64> {
    std::iter::from_fn(|| evictor.victim(accounts)).map(|unit| unit.hash()).collect()
}

#[test]
fn lru_goes_by_use() {
    let (evictor, accounts) = setup(Lru);
    let units: Vec<Unit> = (0..4).map(|n| unit(n, &accounts)).collect();
    for unit in &units {
        evictor.insert(unit.clone(), &accounts);
    }
    evictor.touch(units[0].tally(), &accounts);
    let order: Vec<u64> = [1, 2, 3, 0].map(|n: usize| units[n].hash()).to_vec();
    assert_eq!(drain(&evictor, &accounts), order);
}

#[test]
fn every_unit_leaves_exactly_once() {
    for kind in [Lru, Lfu, S3Fifo] {
        let (evictor, accounts) = setup(kind);
        let units: Vec<Unit> = (0..3_000).map(|n| unit(n, &accounts)).collect();
        for (n, unit) in units.iter().enumerate() {
            evictor.insert(unit.clone(), &accounts);
            evictor.insert(unit.clone(), &accounts);
            evictor.touch(units[n / 2].tally(), &accounts);
        }
        for unit in units.iter().step_by(3) {
            evictor.remove(unit);
            evictor.remove(unit);
        }
        let mut left = drain(&evictor, &accounts);
        left.sort_unstable();
        let mut expected: Vec<u64> = units.iter().map(Unit::hash).collect();
        expected =
            expected.into_iter().enumerate().filter(|(n, _)| n % 3 != 0).map(|(_, h)| h).collect();
        expected.sort_unstable();
        assert_eq!(left, expected, "{kind:?}");
        drop(units);
        assert_eq!(accounts.total() - accounts.policy_bytes(), 0);
    }
}

#[test]
fn what_was_used_outlives_what_was_not() {
    for kind in [Lfu, S3Fifo] {
        let (evictor, accounts) = setup(kind);
        let used: Vec<Unit> = (0..100).map(|n| unit(n, &accounts)).collect();
        for unit in &used {
            evictor.insert(unit.clone(), &accounts);
        }
        let mut gone = Vec::new();
        for n in 0..2_000 {
            for unit in used.iter().skip(n % 10).step_by(10) {
                evictor.touch(unit.tally(), &accounts);
            }
            evictor.insert(unit(1_000 + n as u64, &accounts), &accounts);
            if n >= 100 {
                gone.extend(evictor.victim(&accounts).map(|unit| unit.hash()));
            }
        }
        let lost = used.iter().filter(|unit| gone.contains(&unit.hash())).count();
        assert!(lost <= 5, "{kind:?} lost {lost} of 100");
    }
}

#[test]
fn a_replacement_takes_the_place() {
    let (evictor, accounts) = setup(Lru);
    let (old, other, new) = (unit(1, &accounts), unit(2, &accounts), unit(3, &accounts));
    evictor.insert(old.clone(), &accounts);
    evictor.insert(other.clone(), &accounts);
    evictor.replace(&old, new.clone());
    evictor.remove(&old);
    assert_eq!(drain(&evictor, &accounts), [new.hash(), other.hash()]);
}
