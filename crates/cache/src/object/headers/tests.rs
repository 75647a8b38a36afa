use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use proptest::prelude::*;

use super::{decode, encode, encoded_len, find};

fn round_trip(headers: &HeaderMap) -> (Bytes, HeaderMap) {
    let mut block = b"key".to_vec();
    encode(headers, &mut block);
    assert_eq!(block.len() - 3, encoded_len(headers));
    let block = Bytes::from(block);
    let mut back = HeaderMap::new();
    decode(&block, 3, &mut back);
    (block, back)
}

#[test]
fn fields_come_back_with_repetition_and_bytes_beyond_ascii() {
    let mut headers = HeaderMap::new();
    headers.append("via", HeaderValue::from_static("1.1 a"));
    headers.append("via", HeaderValue::from_static("1.1 b"));
    headers.append("x-own", HeaderValue::from_static(""));
    headers.append("x-bytes", HeaderValue::from_bytes(b"\xfc\xe4").unwrap());
    let (block, back) = round_trip(&headers);
    assert_eq!(back, headers);
    assert_eq!(back.get_all("via").iter().count(), 2);
    let via = find(&block, 3, &HeaderName::from_static("via")).unwrap();
    assert_eq!(via, "1.1 a");
    assert!(find(&block, 3, &HeaderName::from_static("x-other")).is_none());
}

#[test]
fn names_without_a_code_are_kept_in_full() {
    let long = HeaderName::from_bytes(&[b'x'; 100]).unwrap();
    let mut headers = HeaderMap::new();
    headers.append(long.clone(), HeaderValue::from_static("v"));
    let (block, back) = round_trip(&headers);
    assert_eq!(back, headers);
    assert_eq!(find(&block, 3, &long).unwrap(), "v");
}

proptest! {
    #[test]
    fn any_map_comes_back(fields in prop::collection::vec(("[a-z0-9-]{1,80}", "[ -~]{0,60}"), 0..20)) {
        let mut headers = HeaderMap::new();
        for (name, value) in &fields {
            let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
            headers.append(name, HeaderValue::from_str(value).unwrap());
        }
        let (_, back) = round_trip(&headers);
        prop_assert_eq!(back, headers);
    }

    #[test]
    fn damage_does_not_panic(block in prop::collection::vec(any::<u8>(), 0..100), at in 0..120_usize) {
        let block = Bytes::from(block);
        decode(&block, at.min(block.len()), &mut HeaderMap::new());
    }
}
