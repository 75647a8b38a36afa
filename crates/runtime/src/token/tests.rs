use super::*;

#[test]
fn only_the_exact_token_is_admitted() {
    let token = Token::new(" s3cret\n").unwrap();
    assert!(token.admits(Some(b"Bearer s3cret")));
    assert!(token.admits(Some(b"bearer  s3cret ")));
    for wrong in
        [&b"Bearer s3cre"[..], b"Bearer s3cretx", b"Bearer ", b"Basic s3cret", b"s3cret", b""]
    {
        assert!(!token.admits(Some(wrong)), "{}", wrong.escape_ascii());
    }
    assert!(!token.admits(None));
}

#[test]
fn an_empty_token_is_none_and_a_token_is_never_printed() {
    assert!(Token::new(" \n").is_none());
    assert_eq!(format!("{:?}", Token::new("s3cret").unwrap()), "Token(…)");
}

#[test]
fn a_replaced_token_counts_for_all_who_share_it() {
    let tokens = Tokens::from(Token::new("one").unwrap());
    let shared = tokens.clone();
    tokens.replace(Token::new("two").unwrap());
    assert!(shared.admits(Some(b"Bearer two")));
    assert!(!shared.admits(Some(b"Bearer one")) && !shared.admits(None));
}
