use axum::http::HeaderValue;

use super::*;

fn seconds_for(lines: &[&str]) -> u64 {
    let mut headers = HeaderMap::new();
    for line in lines {
        headers.append(PREFER, HeaderValue::from_str(line).unwrap());
    }
    wait(&headers).as_secs()
}

//= rfc7240#2
#[test]
fn preferences_are_a_list_and_the_first_of_a_name_counts() {
    for (lines, expected) in [
        (&[][..], 5),
        (&["wait=10"], 10),
        (&["WAIT = 10"], 10),
        (&["wait=\"10\""], 10),
        (&["handling=lenient, wait=7; x=1"], 7),
        (&["handling=lenient", "wait=7"], 7),
        (&["wait=7, wait=9"], 7),
        (&["wait=7", "wait=9"], 7),
        (&["note=\"a, wait=9\", wait=7"], 7),
        (&["note=\"a\\\", wait=9\", wait=7"], 7),
        (&["note; wait=9"], 5),
    ] {
        assert_eq!(seconds_for(lines), expected, "{lines:?}");
    }
}

//= rfc7240#4.3
#[test]
fn a_wait_is_a_number_of_seconds_up_to_a_minute() {
    for (line, expected) in [
        ("wait=0", 0),
        ("wait=60", 60),
        ("wait=61", 60),
        ("wait=99999999999999999999999", 60),
        ("wait=-1", 5),
        ("wait=1.5", 5),
        ("wait=ten", 5),
        ("wait", 5),
        ("wait=", 5),
        ("waits=10", 5),
    ] {
        assert_eq!(seconds_for(&[line]), expected, "{line}");
    }
}

//= rfc7240#4.1
#[test]
fn respond_async_waits_only_as_long_as_wait_says() {
    assert_eq!(seconds_for(&["respond-async"]), 0);
    assert_eq!(seconds_for(&["respond-async, wait=10"]), 10);
    assert_eq!(seconds_for(&["wait=10, respond-async"]), 10);
    assert_eq!(seconds_for(&["respond-asynchronously"]), 5);
}
