use super::*;
use std::collections::HashSet;

fn kebab(token: &str) -> bool {
    !token.is_empty()
        && token.bytes().all(|b| b.is_ascii_lowercase() || b == b'-')
        && !token.starts_with('-')
        && !token.ends_with('-')
}

#[test]
fn tokens_are_kebab_case_and_distinct() {
    for tokens in [
        NoStoreReason::ALL.iter().map(|r| r.as_str()).collect::<Vec<_>>(),
        MissReason::ALL.iter().map(|r| r.as_str()).collect(),
        PassReason::ALL.iter().map(|r| r.as_str()).collect(),
        StaleReason::ALL.iter().map(|r| r.as_str()).collect(),
    ] {
        let distinct: HashSet<_> = tokens.iter().collect();
        assert_eq!(distinct.len(), tokens.len());
        assert!(tokens.iter().all(|t| kebab(t)), "{tokens:?}");
    }
}

#[test]
fn display_is_the_token() {
    assert_eq!(StaleReason::RequestMaxAge.to_string(), "request-max-age");
}
