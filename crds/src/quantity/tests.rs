use super::*;

#[test]
fn reads_and_writes() {
    for (text, bytes, written) in [
        ("0", 0, "0"),
        ("512", 512, "512"),
        ("1024", 1024, "1Ki"),
        ("1Ki", 1024, "1Ki"),
        ("1k", 1000, "1000"),
        ("256Mi", 256 << 20, "256Mi"),
        ("1536Mi", 1536 << 20, "1536Mi"),
        ("1G", 1_000_000_000, "1000000000"),
        ("3Ti", 3 << 40, "3Ti"),
    ] {
        let quantity: ByteQuantity = text.parse().unwrap();
        assert_eq!(quantity.bytes(), bytes, "{text}");
        assert_eq!(quantity.to_string(), written, "{text}");
    }
    assert_eq!(serde_json::from_str::<ByteQuantity>("4096").unwrap(), ByteQuantity::kib(4));
}

#[test]
fn refuses_with_the_reason() {
    for text in ["", "Mi", "1.5Gi", "-1", "1 Mi", "1mi", "1KB", "1KiB", "+1", "١"] {
        let error = text.parse::<ByteQuantity>().unwrap_err();
        assert!(matches!(error, ParseQuantityError::Syntax(_)), "{text}");
    }
    for text in ["9999999999999999999", "9999999999Ti"] {
        let error = text.parse::<ByteQuantity>().unwrap_err();
        assert!(matches!(error, ParseQuantityError::TooLarge(_)), "{text}");
    }
    assert!(serde_json::from_str::<ByteQuantity>("-1").is_err());
    assert!(serde_json::from_str::<ByteQuantity>("true").is_err());
}

#[test]
fn the_schema_agrees() {
    let pattern = regex::Regex::new(ByteQuantity::PATTERN).unwrap();
    for text in ["0", "1Ki", "1k", "", "Mi", "1.5Gi", "-1", "1mi", "1KiB", "1m", "1e3"] {
        assert_eq!(pattern.is_match(text), text.parse::<ByteQuantity>().is_ok(), "{text}");
    }
}
