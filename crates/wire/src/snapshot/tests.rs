use super::*;

#[test]
fn a_tier_is_called_what_a_snapshot_calls_it() {
    for tier in [Tier::Edge, Tier::Shield] {
        let word = serde_json::to_string(&tier).expect("plain data");
        assert_eq!(word, format!("{:?}", tier.as_str()));
    }
}
