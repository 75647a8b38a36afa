//! The `operator` program.

use std::process::ExitCode;

use clap::Parser;
use operator::errand::{self, Command};
use operator::process;
use runtime::logs::{self, Format};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let command = Command::parse();
    let text = command.options.as_ref().is_none_or(|options| options.log_text);
    logs::init(if text { Format::Text } else { Format::Json }, "info");
    let done = match command {
        Command { errand: Some(errand), .. } => errand::run(errand),
        Command { options: Some(options), .. } => process::run(&options),
        Command { .. } => Ok(()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&error);
            if process::is_bad_input(&error) { ExitCode::from(2) } else { ExitCode::FAILURE }
        }
    }
}

#[expect(
    clippy::print_stderr,
    reason = "the last word of a program goes to its user, not to a log"
)]
fn complain(error: &anyhow::Error) {
    eprintln!("operator: {error:#}");
}
