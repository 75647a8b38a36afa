use super::*;

#[test]
fn it_is_32_digits_and_never_the_same() {
    let (one, other) = (hex().unwrap(), hex().unwrap());
    assert_eq!(one.len(), 32);
    assert!(one.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)), "{one}");
    assert_ne!(one, other);
}
