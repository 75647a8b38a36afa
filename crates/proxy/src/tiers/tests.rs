use super::*;

#[test]
fn a_position_is_said_and_taken_once() {
    let position: LogPosition = "e1/5-3".parse().unwrap();
    let mut headers = HeaderMap::new();
    say(&mut headers, &position);
    assert_eq!(headers[POSITION], "e1/5-3");
    assert_eq!(take(&mut headers), Some(position));
    assert_eq!(take(&mut headers), None);
}

#[test]
fn what_is_no_position_is_taken_out_and_says_nothing() {
    for text in ["", "5-3", "e1/", "e1/5", "/5-3", "e1/5-3-1", "e1/-1-2"] {
        let mut headers = HeaderMap::new();
        headers.insert(POSITION, HeaderValue::from_str(text).unwrap());
        assert_eq!(take(&mut headers), None, "{text:?}");
        assert!(headers.is_empty());
    }
}
