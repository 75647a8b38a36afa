use super::*;

const SAID: &str = r#"{
    "ip": "8.8.8.8", "name": "cdn.example.com", "pool": "web", "version": "v", "family": 4,
    "source": "network-place", "scope": 24, "ttl": 5, "allBad": false,
    "candidates": [
        {"pop": "iad", "verdict": "chosen", "kilometres": 3700, "state": "healthy", "weight": 100, "share": 1.0,
         "addresses": [{"address": "127.2.0.1", "state": "healthy", "reason": "first", "sinceSeconds": 9}]},
        {"pop": "fra", "verdict": "out", "state": "unhealthy", "weight": 100, "share": 0.0,
         "addresses": [{"address": "127.1.0.1", "state": "unhealthy", "reason": "failures", "sinceSeconds": 61}]}
    ]}"#;

#[test]
fn who_gets_a_client_and_why_the_others_do_not() {
    let found: Directions = serde_json::from_str(SAID).unwrap();
    let expected = "\
client  8.8.8.8, place known by: network-place; 24 bits of the address matter
name    cdn.example.com, of pool web, zones v
answer  kept for 5s

POP  VERDICT  KM    STATE      WEIGHT  SHARE  ADDRESSES
iad  chosen   3700  healthy    100     100 %  127.2.0.1
fra  out      -     unhealthy  100     0 %    127.1.0.1 (unhealthy: failures, for 1m1s)
";
    assert_eq!(directions(&found), expected);
}

#[test]
fn that_all_are_bad_is_said() {
    let said = SAID.replace("\"allBad\": false", "\"allBad\": true, \"country\": \"US\"");
    let text = directions(&serde_json::from_str(&said).unwrap());
    assert!(text.contains("none is well") && text.contains("network-place, in US;"), "{text}");
}
