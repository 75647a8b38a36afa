//! The promise of the invalidation log, held against the real store and the real parts of the log in
//! schedules of single steps: a request that arrives after an order was complete is never answered with
//! what the order named, from any tier, whatever was in flight.
//!
//! A seed stands for one schedule: one thread, no clock, no I/O. `MODEL_SEED` adds one to those of every
//! run, `MODEL_WORLDS` says how many those are. Start at `world.rs`, which has the list of steps.
#![allow(clippy::unwrap_used, unreachable_pub, missing_docs, reason = "all of this is a test")]
#![expect(clippy::print_stdout, reason = "how much was tried is part of the result")]

mod below;
mod broken;
mod faults;
mod fetch;
mod fleet;
mod follow;
mod log;
mod node;
mod promise;
mod quiet;
mod rng;
mod route;
mod rules;
mod sender;
mod serve;
mod site;
mod squall;
mod targets;
mod trace;
mod view;
mod world;

use std::sync::atomic::{AtomicUsize, Ordering};

use rules::{Plan, Tally, What};
use world::World;

/// Steps of one world.
const STEPS: u64 = 40_000;
const WORLDS: u64 = 26;
/// How often everything that is counted must have happened.
const LEAST: u64 = 20;

#[test]
fn what_is_complete_is_never_seen_again() {
    let given = |name| std::env::var(name).ok().map(|number| number.parse::<u64>().unwrap());
    let worlds = 1..=given("MODEL_WORLDS").unwrap_or(WORLDS);
    let seeds: Vec<u64> = given("MODEL_SEED").into_iter().chain(worlds).collect();
    let next = AtomicUsize::new(0);
    let work = || {
        let (mut steps, mut tally) = (0, Tally::new());
        while let Some(seed) = seeds.get(next.fetch_add(1, Ordering::Relaxed)) {
            let mut world = World::new(&Plan { seed: *seed, broken: None });
            world.run(STEPS);
            if let Some(violation) = &world.violation {
                panic!("{violation}");
            }
            steps += world.step;
            world.end();
            tally.add(&world.tally);
        }
        (steps, tally)
    };
    let (steps, tally) = std::thread::scope(|scope| {
        let other = scope.spawn(work);
        let (steps, mut tally) = work();
        let (more, others) = other.join().unwrap();
        tally.add(&others);
        (steps + more, tally)
    });
    println!("{steps} steps, {} answers checked", tally.of(What::Checked));
    for what in What::ALL {
        println!("{what:?}: {}", tally.of(*what));
    }
    assert!(steps >= 1_000_000);
    let rare: Vec<_> = What::ALL.iter().filter(|what| tally.of(**what) < LEAST).collect();
    assert!(rare.is_empty(), "hardly ever happened: {rare:?}");
}
