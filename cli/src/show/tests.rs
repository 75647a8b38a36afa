use super::*;

#[test]
fn times_in_their_two_largest_units() {
    for (seconds, text) in [(0, "0s"), (59, "59s"), (61, "1m1s"), (3600, "1h0m"), (90_061, "25h1m")]
    {
        assert_eq!(time(seconds), text);
    }
}

#[test]
fn columns_stand_under_each_other() {
    let rows = [["A", "B"], ["long", "ü\u{1b}[31m"], ["x", ""]].map(|row| row.map(str::to_owned));
    assert_eq!(table(&rows), "A     B\nlong  ü[31m\nx\n");
}

#[test]
fn a_ban_in_words() {
    let text = r#"{"id":"b","host":"a","path":{"regex":"^/x"},"ttlMs":1000,
        "headers":[{"name":"y"},{"name":"z","value":{"exact":"1"}}]}"#;
    let of: Ban = serde_json::from_str(text).unwrap();
    assert_eq!(ban(&of), "host a, path regex ^/x, header y, header z exact 1");
}

#[test]
fn a_log_that_is_away_and_one_that_is_empty() {
    let parsed = |text: &str| serde_json::from_str::<LogState>(text).unwrap();
    assert_eq!(
        log(&parsed(r#"{"connected":false,"end":null,"queued":2}"#)),
        "log: away; orders wait until it is back\n2 orders to be sent\n"
    );
    assert_eq!(log(&parsed(r#"{"connected":true,"end":null}"#)), "log: connected, empty\n");
}
