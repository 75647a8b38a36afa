//! The bytes of the hash ring: `tests/golden/NAME.in.json`, a ring of a fleet document, has the points and
//! gives the keys the owners that `NAME.out.txt` says; `ramp.out.txt` has which keys a newcomer takes when.
//! `UPDATE=1 cargo test -p upstream` rewrites the outputs: then nodes of the releases before and after
//! disagree about who owns what.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::fmt::Write;
use std::path::Path;

use upstream::HashRing;
use upstream::ring::{Ramp, hash_key};
use wire::fleet::Ring;

/// What a node knows of a ring: its points, its shares, and who owns some keys and who is next.
fn tell(ring: &HashRing) -> String {
    let mut out = String::new();
    let name = |place: usize| ring.members()[place].name.as_str();
    writeln!(out, "points {} digest {:016x}", ring.points(), ring.digest()).unwrap();
    for (place, share) in ring.shares().into_iter().enumerate() {
        writeln!(out, "share {share:.9} {}", name(place)).unwrap();
    }
    let lengths = [0, 1, 3, 4, 8, 9, 16, 17, 64, 128, 129, 200, 240, 241, 256, 1_000, 5_000];
    let long = lengths.map(|length| ("long", "k".repeat(length)));
    let urls = (0..40).map(|n| ("url", format!("http://cdn.example.com/img/{n}.png?w={n}")));
    for (kind, key) in long.into_iter().chain(urls) {
        let hash = hash_key(key.as_bytes());
        let successors: Vec<_> = ring.successors(hash).map(name).collect();
        let label = if kind == "long" { format!("k*{}", key.len()) } else { key };
        writeln!(out, "{hash:016x} {} {label}", successors.join(">")).unwrap();
    }
    out
}

/// Which keys a newcomer has, sixteenth by sixteenth.
fn tell_ramp() -> String {
    let seconds = std::time::Duration::from_secs;
    let ramp = Ramp { since: seconds(0), over: seconds(16) };
    let has = |now, n: u64| if ramp.takes(n << 59, seconds(now)) { 'x' } else { '.' };
    let mut out = String::new();
    for now in 0..=16 {
        let keys: String = (0..32).map(|n| has(now, n)).collect();
        writeln!(out, "{now:2}/16 {keys}").unwrap();
    }
    out
}

#[test]
fn golden_files() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let ring = |name: &str| {
        let text = std::fs::read_to_string(folder.join(format!("{name}.in.json"))).unwrap();
        tell(&HashRing::new(&serde_json::from_str::<Ring>(&text).unwrap().members))
    };
    let outputs = [("even", ring("even")), ("weights", ring("weights")), ("ramp", tell_ramp())];
    let mut wrong = Vec::new();
    for (name, output) in outputs {
        let path = folder.join(format!("{name}.out.txt"));
        if std::env::var_os("UPDATE").is_some() {
            std::fs::write(&path, &output).unwrap();
        }
        if std::fs::read_to_string(&path).unwrap_or_default() != output {
            wrong.push(format!("{} should be\n{output}", path.display()));
        }
    }
    assert!(wrong.is_empty(), "{}\nrewrite with UPDATE=1", wrong.join("\n"));
}
