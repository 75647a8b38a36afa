//! The `edge` program.

use std::process::ExitCode;

use clap::Parser;
use edge::Options;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let options = Options::parse();
    tier::main(&options.program(), &options.node)
}
