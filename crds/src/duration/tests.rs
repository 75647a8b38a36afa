use super::*;

#[test]
fn reads_and_writes() {
    for (text, milliseconds, written) in [
        ("0s", 0, "0s"),
        ("0h0m", 0, "0s"),
        ("500ms", 500, "500ms"),
        ("30s", 30_000, "30s"),
        ("90s", 90_000, "1m30s"),
        ("5m", 300_000, "5m"),
        ("1h30m", 5_400_000, "1h30m"),
        ("24h", 86_400_000, "24h"),
        ("1m1ms", 60_001, "1m1ms"),
    ] {
        let duration: Duration = text.parse().unwrap();
        assert_eq!(duration.as_millis(), milliseconds, "{text}");
        assert_eq!(duration.to_string(), written, "{text}");
    }
    assert_eq!(Duration::from_millis(1500).whole_seconds(), None);
    assert_eq!(Duration::from_hours(1).whole_seconds(), Some(3600));
}

#[test]
fn refuses_with_the_reason() {
    for text in ["0", "30", "100000"] {
        let error = text.parse::<Duration>().unwrap_err();
        assert!(matches!(error, ParseDurationError::NoUnit(_)), "{text}");
    }
    for text in ["", "s", "1d", "-1s", "1.5h", "1 s", "1h 30m", "1s1", "100000s", "1h1h1h1h1h", "é"]
    {
        let error = text.parse::<Duration>().unwrap_err();
        assert!(matches!(error, ParseDurationError::Syntax(_)), "{text}");
    }
    assert!(serde_json::from_str::<Duration>("30").is_err());
}

#[test]
fn the_schema_agrees() {
    let pattern = regex::Regex::new(Duration::PATTERN).unwrap();
    for text in ["0s", "1h30m", "1ms", "1m1ms", "", "30", "1d", "1.5h", "99999h", "100000h"] {
        assert_eq!(pattern.is_match(text), text.parse::<Duration>().is_ok(), "{text}");
    }
}
