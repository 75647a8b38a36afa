//! Packets that are almost right.

use std::path::{Path, PathBuf};

/// Makes packets out of those of the corpus, by a seed the same each time.
pub(super) struct Mutator {
    corpus: Vec<Vec<u8>>,
    /// Those that get an answer.
    good: Vec<usize>,
    state: u64,
}

impl Mutator {
    pub(super) fn new(seed: u64) -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/dns/tests/corpus");
        let entries = std::fs::read_dir(folder).expect("the corpus of crates/dns");
        let mut paths: Vec<_> = entries.map(|entry| entry.expect("an entry").path()).collect();
        paths.sort();
        let good = |path: &PathBuf| {
            let name = path.file_name().unwrap().to_string_lossy();
            ["any", "no", "nx", "pops", "serv", "soa"].iter().any(|word| name.starts_with(word))
        };
        let good = (0..paths.len()).filter(|nth| good(&paths[*nth])).collect::<Vec<_>>();
        let read = |path| {
            let text = std::fs::read_to_string(path).expect("a file");
            let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
            let byte = |two: &[u8]| u8::from_str_radix(std::str::from_utf8(two).unwrap(), 16);
            digits.chunks(2).map(|two| byte(two).unwrap()).collect()
        };
        let corpus: Vec<Vec<u8>> = paths.into_iter().map(read).collect();
        assert!(corpus.len() >= 50, "{} packets", corpus.len());
        assert!(good.len() >= 10, "{} good packets", good.len());
        Self { corpus, good, state: seed | 1 }
    }

    /// The packets as they are.
    pub(super) fn corpus(&self) -> &[Vec<u8>] {
        &self.corpus
    }

    fn next(&mut self) -> u64 {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        self.state
    }

    /// A number from 0 to below `end`, or 0.
    pub(super) fn below(&mut self, end: usize) -> usize {
        (self.next() % end.max(1) as u64) as usize
    }

    /// A packet.
    pub(super) fn packet(&mut self) -> Vec<u8> {
        let nth = match self.below(2) {
            0 => self.below(self.corpus.len()),
            _ => {
                let nth = self.below(self.good.len());
                self.good[nth]
            }
        };
        let mut packet = self.corpus[nth].clone();
        for _ in 0..self.below(4) {
            self.change(&mut packet);
        }
        packet
    }

    fn change(&mut self, packet: &mut Vec<u8>) {
        let at = self.below(packet.len());
        let byte = self.next() as u8;
        match self.below(10) {
            0 if !packet.is_empty() => packet[at] = byte,
            1 if !packet.is_empty() => packet[at] ^= 1 << (byte & 7),
            // Ends of names, pointers, the longest label, the head as a target.
            2 if !packet.is_empty() => packet[at] = [0, 0xC0, 0xFF, 0x3F, 0x0C][self.below(5)],
            3 => packet.truncate(at),
            4 => packet.insert(at, byte),
            5 => {
                let end = (at + self.below(40)).min(packet.len());
                packet.drain(at..end);
            }
            6 => {
                let other = self.below(self.corpus.len());
                let from = self.below(self.corpus[other].len());
                packet.extend_from_slice(&self.corpus[other][from..]);
            }
            7 => {
                let end = (at + self.below(60)).min(packet.len());
                let again = packet[at..end].to_vec();
                packet.splice(at..at, again);
            }
            // The flags and the counts.
            8 if packet.len() >= 12 => {
                packet[2 + self.below(10)] = [0, 1, 2, 0xFF, byte][self.below(5)]
            }
            // Longer than any question.
            9 if self.below(8) == 0 => packet.resize(packet.len() + self.below(1_500), byte),
            _ => {}
        }
    }
}
