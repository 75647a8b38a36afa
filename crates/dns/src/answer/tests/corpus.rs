//! Packets kept in a folder, each with what it gets as the first word of its name: `formerr-….hex`.

use std::path::Path;

use super::*;

#[test]
fn the_corpus_gets_what_it_says() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus");
    let (view, places) = (view(), places());
    let mut seen = 0;
    for entry in std::fs::read_dir(folder).expect("the folder") {
        let path = entry.expect("an entry").path();
        let name = path.file_stem().and_then(|stem| stem.to_str()).expect("a name");
        let text = std::fs::read_to_string(&path).expect("a file");
        let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
        let packet: Vec<u8> = digits
            .chunks(2)
            .map(|two| u8::from_str_radix(std::str::from_utf8(two).unwrap(), 16).unwrap())
            .collect();
        let mut out = [0; MAX_UDP];
        let peer = PEER.parse().unwrap();
        let answered = answer(&packet, peer, Transport::Udp, &view, Some(&places), &mut out);
        let expected = name.split('-').next().unwrap_or_default();
        assert_eq!(answered.outcome.as_str(), expected, "{name}: {answered:?}");
        assert_eq!(answered.length == 0, expected == "silent", "{name}");
        seen += 1;
    }
    assert!(seen >= 50, "{seen}");
}
