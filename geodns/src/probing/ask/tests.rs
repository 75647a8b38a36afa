use super::*;

#[test]
fn only_a_status_line_has_a_status() {
    assert_eq!(status(b"HTTP/1.1 204"), Some(204));
    assert_eq!(status(b"HTTP/1.0 503"), Some(503));
    for head in [b"HTTP/2.0 204", b"HTTP/1.1 +04", b"HTTP/1.1204 ", b"SSH-2.0-Open"] {
        assert_eq!(status(head), None, "{head:?}");
    }
}

#[test]
fn the_question_is_for_the_node_or_for_a_path() {
    let to = "[2001:db8::1]:80".parse().unwrap();
    let ping = question(to, &Probe::default());
    assert!(
        ping.starts_with("OPTIONS * HTTP/1.1\r\nmax-forwards: 0\r\nhost: [2001:db8::1]:80\r\n")
    );
    let (path, host) = (Some("/up".to_owned()), Some("cdn.example.com".to_owned()));
    let get = question(to, &Probe { path, host, ..Probe::default() });
    assert!(get.starts_with("GET /up HTTP/1.1\r\nhost: cdn.example.com\r\n"), "{get}");
    assert!(get.ends_with("\r\n\r\n"));
}
