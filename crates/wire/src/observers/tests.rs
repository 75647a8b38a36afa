use super::*;

const TEXT: &str =
    r#"{"format":1,"instance":7,"sees":{"web":{"fra":{"192.0.2.1":true,"2001:db8::1":false}}}}"#;

#[test]
fn a_report_is_compact_and_reads_back() {
    let report: Report = serde_json::from_str(TEXT).expect("a report");
    assert!(!report.leaves && !report.sees["web"]["fra"][&"2001:db8::1".parse().expect("one")]);
    assert_eq!(serde_json::to_string(&report).expect("plain data"), TEXT);
}

#[test]
fn what_a_later_version_adds_is_not_read() {
    let later = TEXT.replace(r#""instance":7,"#, r#""instance":7,"weather":"fine","leaves":true,"#);
    assert!(serde_json::from_str::<Report>(&later).expect("a report").leaves);
    assert!(serde_json::from_str::<Report>(&TEXT.replace("192.0.2.1", "fra")).is_err());
}
