use super::*;
use proptest::prelude::*;

fn feed(text: &str) -> Result<(), (usize, FramingError)> {
    FramingCheck::new(HeadLimits::default()).feed(text.as_bytes())
}

fn feed_bytewise(bytes: &[u8]) -> Result<(), (usize, FramingError)> {
    let mut check = FramingCheck::new(HeadLimits::default());
    for (at, byte) in bytes.iter().enumerate() {
        check.feed(&[*byte]).map_err(|(within, error)| (at + within, error))?;
    }
    Ok(())
}

const HEAD: &str = "GET / HTTP/1.1\r\nHost: a\r\n";

#[test]
fn what_is_refused_and_where() {
    use FramingError::*;
    let cases: &[(&str, &str, FramingError)] = &[
        // What passes before the fault, what comes after, and the fault.
        ("GET / HTTP/1.1", "\nHost: a\r\n\r\n", BareLf),
        ("GET / HTTP/1.1\r\nHost: a", "\n\r\n", BareLf),
        ("GET / HTTP/1.1\r\nHost: a\r\n", "\n", BareLf),
        ("GET / HTTP/1.1\r\nHost: a\r\nX: a", "\rb\r\n\r\n", BareCr),
        ("GET / HTTP/1.1\r\nHost: a\r\nX: a", "\r\r\n\r\n", BareCr),
        ("GET / HTTP/1.1\r\nHost: a\r\nX: 1\r\n", " 2\r\n\r\n", ObsFold),
        ("GET / HTTP/1.1\r\n", "\tHost: a\r\n\r\n", ObsFold),
        ("GET / HTTP/1.1\r\nHost", " : a\r\n\r\n", SpaceBeforeColon),
        ("GET / HTTP/1.1\r\nTransfer-Encoding", "\t: chunked\r\n", SpaceBeforeColon),
        ("GET / HTTP/1.1\r\n", ": a\r\n", BadFieldName),
        ("GET / HTTP/1.1\r\nX", "(y: a\r\n", BadFieldName),
        ("GET / HTTP/1.1\r\nHos", "t\r\n", BadFieldName),
        ("GET / HTTP/1.1\r\nHost: a\r\nX: a", "\0b\r\n", BadFieldValue),
        ("GET / HTTP/1.1\r\nX: y\r\n", "\r\n", MissingHost),
        ("GET / HTTP/1.1\r\nHost:", "\r\n\r\n", BadHost),
        ("GET / HTTP/1.1\r\nHost:", " a b\r\n", BadHost),
        ("GET / HTTP/1.1\r\nHost:", " a,b\r\n", BadHost),
        ("GET / HTTP/1.1\r\nHost:", " u@a\r\n", BadHost),
        ("GET / HTTP/1.1\r\nHost:", " a:99999\r\n", BadHost),
        ("GET", " /\r\n", BadRequestLine),
        ("", " GET / HTTP/1.1\r\n", BadRequestLine),
        ("GET ", " / HTTP/1.1\r\n", BadRequestLine),
        ("GET / ", " HTTP/1.1\r\n", BadRequestLine),
        ("GET / ", "HTTP/1.1 \r\n", BadRequestLine),
        ("GET / ", "HTTP/1.2\r\n", BadVersion),
        ("GET / ", "http/1.1\r\n", BadVersion),
        ("GET / ", "HTTP/2.0\r\n", BadVersion),
        ("", "G(T / HTTP/1.1\r\n", BadRequestLine),
    ];
    for (before, after, error) in cases {
        let text = format!("{before}{after}");
        let whole = feed(&text);
        let Err((at, found)) = whole else { panic!("{text:?} passed") };
        assert_eq!(found, *error, "{text:?}");
        assert_eq!(at, before.len(), "{text:?}");
    }
    assert_eq!(feed(&format!("{HEAD}Host: b\r\n\r\n")).unwrap_err().1, DuplicateHost);
}

#[test]
fn how_long_a_body_is_has_one_reading() {
    use FramingError::*;
    for (fields, error) in [
        ("Content-Length: 1\r\nContent-Length: 1", DuplicateContentLength),
        ("Content-Length: 1, 1", DuplicateContentLength),
        ("content-length: 1\r\ntransfer-encoding: chunked", BothLengthAndTransferEncoding),
        ("Transfer-Encoding: chunked\r\nContent-Length: 1", BothLengthAndTransferEncoding),
        ("Transfer-Encoding: gzip, chunked", BadTransferEncoding),
        ("Transfer-Encoding: identity", BadTransferEncoding),
        ("Transfer-Encoding: xchunked", BadTransferEncoding),
        ("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", BadTransferEncoding),
        ("Transfer-Encoding:", BadTransferEncoding),
        ("Content-Length: +1", BadContentLength),
        ("Content-Length: -1", BadContentLength),
        ("Content-Length: 1 2", BadContentLength),
        ("Content-Length: 0x1", BadContentLength),
        ("Content-Length:", BadContentLength),
        ("Content-Length: 9999999999999999999", BadContentLength),
    ] {
        let found = feed(&format!("{HEAD}{fields}\r\n\r\n"));
        assert_eq!(found.unwrap_err().1, error, "{fields}");
    }
    let old = "GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n";
    assert_eq!(feed(old).unwrap_err().1, BadTransferEncoding);
    assert_eq!(feed("GET / HTTP/1.0\r\n\r\n"), Ok(()));
}

#[test]
fn requests_follow_each_other() {
    let stream = "GET /a HTTP/1.1\r\nHost: a\r\n\r\n\
        POST /b HTTP/1.1\r\nHost: a:80\r\nContent-Length: 4\r\n\r\n\n\r: \
        POST /c HTTP/1.1\r\nhost: [::1]:8080\r\ntransfer-encoding: Chunked\r\n\r\n\
        3;x=y\r\n\n\n\n\r\nA \t;q\r\n0123456789\r\n0\r\nX-Sum: 1\r\n\r\n\
        \r\nGET /d HTTP/1.1\r\nHost: a\r\n\r\n";
    let mut check = FramingCheck::new(HeadLimits::default());
    assert_eq!(check.feed(stream.as_bytes()), Ok(()));
    assert!(check.at_boundary());
    assert_eq!(feed_bytewise(stream.as_bytes()), Ok(()));
    // The fault of a later request is found where it is.
    let smuggled = format!("{stream}GET /e HTTP/1.1\r\nHost: a\r\nX : y\r\n\r\n");
    let (at, error) = feed(&smuggled).unwrap_err();
    assert_eq!(error, FramingError::SpaceBeforeColon);
    assert_eq!(&smuggled[at..at + 3], " : ");
}

#[test]
fn chunks_are_exact() {
    let start = format!("{HEAD}Transfer-Encoding: chunked\r\n\r\n");
    for bad in [
        "\r\n",
        "x\r\n",
        "-1\r\n",
        "0x5\r\n",
        " 5\r\n",
        "5 \r\n",
        "5\n",
        "5\r\nabcdeX",
        "5\r\nabcde\n",
        "5\r\nabcde\rX",
        "1000000000000000\r\n",
        "5;a\rb\r\n",
        "0\r\nContent-Length: 1\r\n\r\n",
        "0\r\n folded\r\n\r\n",
        "0\r\nx y: 1\r\n\r\n",
    ] {
        assert!(feed(&format!("{start}{bad}")).is_err(), "{bad:?}");
    }
    let long = format!("{start}1;{}\r\n", "x".repeat(2000));
    assert_eq!(feed(&long).unwrap_err().1, FramingError::BadChunk);
}

#[test]
fn states_between_pieces() {
    let mut check = FramingCheck::new(HeadLimits::default());
    assert!(check.at_boundary() && !check.in_head());
    check.feed(b"GET / HT").unwrap();
    assert!(!check.at_boundary() && check.in_head());
    check.feed(b"TP/1.1\r\nHost: a\r\n").unwrap();
    assert!(check.in_head());
    check.feed(b"Content-Length: 2\r\n\r\n").unwrap();
    assert!(!check.in_head() && !check.at_boundary());
    check.feed(b"xx").unwrap();
    assert!(check.at_boundary());
    check.stop();
    assert!(check.is_stopped());
    assert_eq!(check.feed(b"\n\n\0 anything"), Ok(()));
}

#[test]
fn a_fault_that_began_earlier_is_at_zero() {
    let mut check = FramingCheck::new(HeadLimits::default());
    check.feed(b"GET / HTTP/1.1\r\nX").unwrap();
    check.feed(b" :").unwrap();
    assert_eq!(check.feed(b" y\r\n"), Err((0, FramingError::SpaceBeforeColon)));
}

#[test]
fn limits() {
    let limits = HeadLimits { max_head_bytes: 60, max_fields: 2, ..HeadLimits::default() };
    let check = |text: &str| FramingCheck::new(limits).feed(text.as_bytes());
    assert_eq!(check(&format!("{HEAD}A: 1\r\n\r\n")), Ok(()));
    let (_, error) = check(&format!("{HEAD}A: 1\r\nB: 2\r\n\r\n")).unwrap_err();
    assert_eq!(error, FramingError::TooManyFields);
    let long = format!("{HEAD}A: {}", "x".repeat(60));
    assert_eq!(check(&long), Err((60, FramingError::HeadTooLarge)));
    // A line that never ends is not kept for ever either.
    let mut slow = FramingCheck::new(limits);
    let fed = (0..100).find(|_| slow.feed(b"x").is_err());
    assert_eq!(fed, Some(60));
    // Each request has its own.
    assert_eq!(check(&format!("{HEAD}\r\n").repeat(10)), Ok(()));
}

#[test]
fn the_preface_of_http2_passes_only_first() {
    let preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\n";
    assert_eq!(feed(preface), Ok(()));
    assert_eq!(feed_bytewise(preface.as_bytes()), Ok(()));
    let late = format!("{HEAD}\r\n{preface}");
    assert_eq!(feed(&late).unwrap_err().1, FramingError::BadVersion);
}

fn pieces() -> impl Strategy<Value = Vec<u8>> {
    let words = proptest::sample::select(vec![
        "GET / HTTP/1.1\r\n",
        "Host: a\r\n",
        "Content-Length: 3\r\n",
        "\r\n",
        "abc",
        "\n",
        "\r",
        " ",
        "Transfer-Encoding: chunked\r\n",
        "3\r\n",
        "0\r\n",
        ":",
        "X: y\r\n",
        "\t",
        "POST",
        "\0",
    ]);
    proptest::collection::vec(words, 0..14).prop_map(|words| words.concat().into_bytes())
}

proptest! {
    #[test]
    fn never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = FramingCheck::new(HeadLimits::default()).feed(&bytes);
    }

    #[test]
    fn cuts_make_no_difference(bytes in pieces(), cut in 0usize..200) {
        let cut = cut.min(bytes.len());
        let mut whole = FramingCheck::new(HeadLimits::default());
        let mut cutted = FramingCheck::new(HeadLimits::default());
        let one = whole.feed(&bytes);
        let two = cutted.feed(&bytes[..cut]).and_then(|()| {
            cutted.feed(&bytes[cut..]).map_err(|(at, error)| (at + cut, error))
        });
        prop_assert_eq!(one.map_err(|e| e.1), two.map_err(|e| e.1));
        if let (Err((a, _)), Err((b, _))) = (one, two) {
            // Where a fault lies before the cut it can only be reported at it.
            prop_assert!(a == b || (a < cut && b == cut), "{} {}", a, b);
        } else {
            prop_assert_eq!(whole.at_boundary(), cutted.at_boundary());
            prop_assert_eq!(whole.in_head(), cutted.in_head());
        }
    }

    #[test]
    fn a_refused_head_is_never_complete_before_the_fault(bytes in pieces()) {
        // What may be passed on must not let a parser behind this see the end of the bad head.
        if let Err((at, _)) = FramingCheck::new(HeadLimits::default()).feed(&bytes) {
            prop_assert!(at < bytes.len());
            let mut check = FramingCheck::new(HeadLimits::default());
            prop_assert_eq!(check.feed(&bytes[..at]), Ok(()));
        }
    }
}
