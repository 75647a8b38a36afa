//! The `edge` program.

use std::process::ExitCode;

use clap::Parser;
use edge::{Options, PROGRAM};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    tier::main(&PROGRAM, &Options::parse().node)
}
