use super::*;

fn unmet(readiness: &Readiness) -> Vec<String> {
    readiness.unmet().iter().map(ToString::to_string).collect()
}

#[test]
fn without_conditions_a_process_is_ready() {
    assert!(Readiness::default().unmet().is_empty());
}

#[test]
fn every_condition_must_be_fulfilled() {
    let readiness = Readiness::default();
    let (log, disk) = (readiness.gate("log"), readiness.gate("disk"));
    assert_eq!(unmet(&readiness), ["log: not yet", "disk: not yet"]);
    log.open();
    disk.close("reading the index");
    assert_eq!(unmet(&readiness), ["disk: reading the index"]);
    disk.open();
    assert!(unmet(&readiness).is_empty());
    log.close("cut off");
    assert_eq!(unmet(&readiness.clone()), ["log: cut off"]);
}

#[test]
fn conditions_of_one_name_are_several() {
    let readiness = Readiness::default();
    let (first, second) = (readiness.gate("log"), readiness.gate("log"));
    first.open();
    assert_eq!(unmet(&readiness), ["log: not yet"]);
    second.open();
    assert!(unmet(&readiness).is_empty());
}

#[test]
fn a_lost_gate_stays_as_it_was_and_a_retired_one_goes() {
    let readiness = Readiness::default();
    drop(readiness.gate("died"));
    let gone = readiness.gate("gone");
    assert_eq!(unmet(&readiness), ["died: not yet", "gone: not yet"]);
    gone.retire();
    assert_eq!(unmet(&readiness), ["died: not yet"]);
}
