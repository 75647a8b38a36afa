use semantics::framing::{FramingCheck, FramingError, HeadLimits};

fn first_fault(text: &str) -> Option<FramingError> {
    FramingCheck::new(HeadLimits::default()).feed(text.as_bytes()).err().map(|(_, error)| error)
}

fn with_fields(fields: &str) -> Option<FramingError> {
    first_fault(&format!("POST / HTTP/1.1\r\nHost: h\r\n{fields}\r\n\r\n"))
}

//= rfc9112#2.2
#[test]
fn lines_end_in_crlf_and_in_nothing_else() {
    assert_eq!(first_fault("GET / HTTP/1.1\nHost: h\r\n\r\n"), Some(FramingError::BareLf));
    assert_eq!(with_fields("A: b\rC: d"), Some(FramingError::BareCr));
    assert_eq!(first_fault("\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n"), None);
    assert_eq!(first_fault(" GET / HTTP/1.1\r\n"), Some(FramingError::BadRequestLine));
}

//= rfc9112#2.3
//= rfc9112#3
#[test]
fn request_lines() {
    for (line, expected) in [
        ("GET / HTTP/1.1", None),
        ("M-SEARCH * HTTP/1.1", None),
        ("GET  / HTTP/1.1", Some(FramingError::BadRequestLine)),
        ("GET / / HTTP/1.1", Some(FramingError::BadRequestLine)),
        ("GET /", Some(FramingError::BadRequestLine)),
        ("GET\t/ HTTP/1.1", Some(FramingError::BadRequestLine)),
        ("GET / HTTP/1.10", Some(FramingError::BadVersion)),
        ("GET / HTTP/0.9", Some(FramingError::BadVersion)),
    ] {
        assert_eq!(first_fault(&format!("{line}\r\nHost: h\r\n\r\n")), expected, "{line}");
    }
}

//= rfc9112#3.2
#[test]
fn one_host() {
    assert_eq!(first_fault("GET / HTTP/1.1\r\n\r\n"), Some(FramingError::MissingHost));
    assert_eq!(first_fault("GET / HTTP/1.0\r\n\r\n"), None);
    assert_eq!(with_fields("hOST: h"), Some(FramingError::DuplicateHost));
    let bad = "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n";
    assert_eq!(first_fault(bad), Some(FramingError::BadHost));
}

//= rfc9112#5.1
//= rfc9112#5.2
#[test]
fn field_lines() {
    assert_eq!(with_fields("A : b"), Some(FramingError::SpaceBeforeColon));
    assert_eq!(with_fields("A: b\r\n c"), Some(FramingError::ObsFold));
    assert_eq!(with_fields("A b"), Some(FramingError::SpaceBeforeColon));
    assert_eq!(with_fields("Ab"), Some(FramingError::BadFieldName));
    assert_eq!(with_fields("A: \t b \u{e4} \t"), None);
    assert_eq!(with_fields("A: b\u{1}"), Some(FramingError::BadFieldValue));
}

//= rfc9112#6.1
//= rfc9112#6.2
//= rfc9112#6.3
#[test]
fn one_body_length() {
    use FramingError::{
        BadContentLength, BadTransferEncoding, BothLengthAndTransferEncoding,
        DuplicateContentLength,
    };
    for (fields, expected) in [
        ("Content-Length: 5\r\n\r\nabcde\r\nGET / HTTP/1.1\r\nHost: h", None),
        ("Content-Length: 5\r\nContent-Length: 5", Some(DuplicateContentLength)),
        ("Content-Length: 5,5", Some(DuplicateContentLength)),
        ("Content-Length: five", Some(BadContentLength)),
        ("Transfer-Encoding: chunked\r\nContent-Length: 5", Some(BothLengthAndTransferEncoding)),
        ("Transfer-Encoding: chunked, gzip", Some(BadTransferEncoding)),
        ("Transfer-Encoding: \u{b}chunked", Some(FramingError::BadFieldValue)),
    ] {
        assert_eq!(with_fields(fields), expected, "{fields}");
    }
    let old = "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n";
    assert_eq!(first_fault(old), Some(BadTransferEncoding));
}

//= rfc9112#7.1
//= rfc9112#7.1.1
//= rfc9112#7.1.2
#[test]
fn chunks() {
    let body = |text: &str| {
        with_fields(&format!("Transfer-Encoding: chunked\r\n\r\n{text}GET / HTTP/1.1\r\nHost: h"))
    };
    assert_eq!(body("5\r\nabcde\r\n0\r\n\r\n"), None);
    assert_eq!(body("5;a=b\r\nabcde\r\nA\r\n0123456789\r\n000\r\nSum: 1\r\n\r\n"), None);
    for bad in [
        "5\r\nabcdef\r\n0\r\n\r\n",
        "5\nabcde\r\n0\r\n\r\n",
        "5 \r\nabcde\r\n0\r\n\r\n",
        "+5\r\nabcde\r\n0\r\n\r\n",
        "5\r\nabcde\r\n0\r\nTransfer-Encoding: x\r\n\r\n",
        "5\r\nabcde\r\n0\r\n folded\r\n\r\n",
        "fffffffffffffffff\r\n",
    ] {
        assert!(body(bad).is_some(), "{bad:?}");
    }
}
