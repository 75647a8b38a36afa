//! Every rule is needed: when one is broken, the model finds an answer that must not be.

use crate::STEPS;
use crate::rules::{Broken, Plan};
use crate::world::World;

/// Worlds in which it must be found.
const WORLDS: u64 = 40;

fn finds(broken: Broken) {
    let mut steps = 0;
    for seed in 1_001..=1_000 + WORLDS {
        let mut world = World::new(&Plan { seed, broken: Some(broken) });
        world.run(STEPS);
        steps += world.step;
        if let Some(violation) = world.violation {
            println!("{broken:?} is found after {steps} steps: {violation}");
            return;
        }
    }
    panic!("{broken:?} is not found in {steps} steps");
}

#[test]
fn a_fill_is_vouched_for_as_of_when_it_was_sent() {
    finds(Broken::SentLate);
}

#[test]
fn the_answer_of_a_tier_is_vouched_for_by_its_word() {
    finds(Broken::OwnApplied);
}

#[test]
fn requests_remember_when_they_came() {
    finds(Broken::Arrived);
}

#[test]
fn entries_say_what_came_before_them() {
    finds(Broken::Prev);
}

#[test]
fn an_order_is_acknowledged_by_name() {
    finds(Broken::Inferred);
}

#[test]
fn a_node_counts_as_validating_only_after_its_lease() {
    finds(Broken::LeaseEarly);
}

#[test]
fn a_node_validates_after_its_lease() {
    finds(Broken::LeaseIgnored);
}

#[test]
fn a_node_is_empty_when_its_lease_was_over() {
    finds(Broken::TrustsAgain);
}

#[test]
fn a_tier_is_asked_for_at_least_what_is_known() {
    finds(Broken::LeastZero);
}

#[test]
fn a_node_is_empty_after_a_gap() {
    finds(Broken::GapKept);
}

/// Positions of one log are compared between nodes: what one read and another did not must show.
#[test]
fn ids_never_go_back_in_one_log() {
    finds(Broken::IdsGoBack);
}
