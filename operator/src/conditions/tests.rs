use super::*;

fn wanted(holds: bool, message: &str) -> Vec<Wanted> {
    vec![Wanted { type_: "Ready", holds: Some(holds), reason: "Because", message: message.into() }]
}

#[test]
fn the_time_is_that_of_the_last_change_of_the_status() {
    let first = conditions(wanted(true, "a"), &[], 1, &time(1_000));
    assert_eq!(first[0].last_transition_time, time(1_000));
    let same = conditions(wanted(true, "b"), &first, 2, &time(2_000));
    assert_eq!(
        (same[0].last_transition_time.clone(), same[0].message.as_str()),
        (time(1_000), "b")
    );
    assert_eq!(same[0].observed_generation, Some(2));
    let other = conditions(wanted(false, "b"), &same, 2, &time(3_000));
    assert_eq!(other[0].last_transition_time, time(3_000));
    assert_eq!(said(&other, "Ready"), Some((false, "b")));
    assert_eq!(said(&other, "Else"), None);
}

#[test]
fn long_texts_are_cut_between_characters() {
    assert_eq!(cut("short".into(), 10), "short");
    let cut = cut("ä".repeat(10), 10);
    assert_eq!(cut, "äää…");
    assert!(cut.len() <= 10);
}
