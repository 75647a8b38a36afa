//! A real process under packets that nobody should send: it stays, it does not grow, and no reply is larger than the
//! question warrants. `make fuzz-dns` sends a million, by `FUZZ_SEED` always the same ones.
//!
//! What a question warrants: nothing if it is an answer itself or has no whole head; what it said and an OPT record
//! if it gets an error; else as many bytes more than it has itself as an honest question gets at most.

#![expect(clippy::print_stdout, reason = "who runs it wants the seed, to run it again")]

mod flood;
mod mutate;
mod process;

use flood::Rules;
use mutate::Mutator;
use process::Process;

/// What a process may grow by: buffers that a rare packet makes it touch first, not something for each packet.
const GROWTH: u64 = 4 << 20;

fn number(name: &str) -> Option<u64> {
    Some(std::env::var(name).ok()?.parse().unwrap_or_else(|_| panic!("{name}: not a number")))
}

/// Sends so many packets over UDP, and a tenth of that over TCP.
fn hold(packets: u64, seed: u64) {
    println!("{packets} packets, FUZZ_SEED={seed}");
    let mut mutator = Mutator::new(seed);
    let process = Process::start();
    let rules = Rules::new(&process, mutator.corpus());
    // The first touch of buffers is not growth.
    let mut seen = flood::udp(&process, &rules, &mut mutator, packets.div_ceil(10));
    seen += flood::tcp(&process, &rules, &mut mutator, packets.div_ceil(50));
    let before = process.resident();
    seen += flood::udp(&process, &rules, &mut mutator, packets);
    seen += flood::tcp(&process, &rules, &mut mutator, packets.div_ceil(10));
    let after = process.resident();
    println!("{seen:?}; resident {} KiB before, {} KiB after", before >> 10, after >> 10);
    assert!(seen.silent > packets / 50, "too few were bad: {seen:?}");
    assert!(seen.errors > packets / 20, "too few were bad: {seen:?}");
    assert!(seen.answers > packets / 20, "too few were good: {seen:?}");
    assert!(after <= before + GROWTH, "it grew from {before} to {after} bytes");
    process.end();
}

#[test]
fn some_mutated_packets() {
    hold(100_000, 0x5EED);
}

#[test]
#[ignore = "a million packets take a while: make fuzz-dns"]
fn a_million_mutated_packets() {
    let random = || getrandom::u64().expect("random numbers");
    hold(number("FUZZ_PACKETS").unwrap_or(1_000_000), number("FUZZ_SEED").unwrap_or_else(random));
}
