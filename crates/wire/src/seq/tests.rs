use super::*;

#[test]
fn reads_what_it_writes_and_keeps_the_order() {
    let a: Seq = "17-3".parse().unwrap();
    let b: Seq = "17-10".parse().unwrap();
    assert!(Seq::ZERO < a && a < b);
    assert_eq!(b.to_string(), "17-10");
}

#[test]
fn refuses_anything_else() {
    for bad in ["", "1", "1-", "-1", "1-2-3", "+1-2", "a-b", "99999999999999999999-0"] {
        assert_eq!(bad.parse::<Seq>(), Err(BadSeq), "{bad}");
    }
}
