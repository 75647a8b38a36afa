use std::io::Read;

use super::*;

fn round_trip(coding: Coding, flush: bool) -> Vec<u8> {
    let mut encoder = Encoder::new(coding, &Compression::default()).unwrap();
    let mut encoded = Vec::new();
    for piece in ["hello, ", "hello, ", "world"] {
        let out = encoder.encode(piece.as_bytes(), flush).unwrap();
        assert!(!flush || !out.is_empty(), "{coding:?} holds back what was flushed");
        encoded.extend(out);
    }
    encoded.extend(encoder.finish().unwrap());
    let mut decoded = Vec::new();
    match coding {
        Coding::Br => brotli::Decompressor::new(&encoded[..], 4096).read_to_end(&mut decoded),
        Coding::Zstd => {
            zstd::stream::read::Decoder::new(&encoded[..]).unwrap().read_to_end(&mut decoded)
        }
        Coding::Gzip => flate2::read::GzDecoder::new(&encoded[..]).read_to_end(&mut decoded),
        Coding::Identity => unreachable!(),
    }
    .unwrap();
    decoded
}

#[test]
fn every_coding_gives_back_what_went_in() {
    for coding in [Coding::Br, Coding::Zstd, Coding::Gzip] {
        for flush in [false, true] {
            assert_eq!(round_trip(coding, flush), b"hello, hello, world", "{coding:?} {flush}");
        }
    }
}
