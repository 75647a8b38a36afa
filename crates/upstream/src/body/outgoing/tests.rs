use http_body_util::Full;

use super::*;
use crate::body::stream_body;

#[tokio::test]
async fn an_empty_body_is_there_for_every_try() {
    let outgoing = Outgoing::new(empty_body());
    assert!(outgoing.is_empty());
    for _ in 0..3 {
        let body = outgoing.for_a_try().unwrap();
        assert!(body.is_end_stream());
        assert_eq!(body.collect().await.unwrap().to_bytes(), "");
    }
}

#[tokio::test]
async fn a_streamed_body_is_there_until_somebody_reads_it() {
    let outgoing = Outgoing::new(stream_body(Full::new(Bytes::from_static(b"text"))));
    assert!(!outgoing.is_empty());
    let not_read = outgoing.for_a_try().unwrap();
    assert_eq!((not_read.size_hint().exact(), not_read.is_end_stream()), (Some(4), false));
    drop(not_read);

    let (one, other) = (outgoing.for_a_try().unwrap(), outgoing.for_a_try().unwrap());
    assert_eq!(one.collect().await.unwrap().to_bytes(), "text");
    assert!(!outgoing.is_left());
    assert!(outgoing.for_a_try().is_none());
    assert!(other.collect().await.is_err());
}
