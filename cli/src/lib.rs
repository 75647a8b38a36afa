//! The command line for the admin API: purges, bans, how far they are, and where a URL is.
//!
//! It speaks HTTP to one admin API, waits until an order is applied everywhere, and says so with its exit
//! code: 0 only if it is, 1 if not, 2 if it was used wrongly. Never: a decision about what is stored, a
//! connection to Redis or Kubernetes, a pattern compiled (the API refuses what is wrong, with words).
//!
//! Start at [`run`], which is the whole program; `options` is what can be said, `command` what is done,
//! `api` how it is asked, `wait` how completion is waited for, `whereabouts` how a URL is looked for, `show` and `progress` what people see.

mod answers;
mod api;
mod command;
mod directions;
mod failure;
mod options;
mod progress;
mod show;
mod wait;
mod whereabouts;

use std::ffi::OsString;
use std::io::{BufRead, Write};

use clap::Parser;

use failure::Failure;
use options::Options;

/// The variable that has the token when no file does.
pub const TOKEN_VARIABLE: &str = "BLUE_ORIGIN_TOKEN";

/// What the program has to do with: its streams, and what it was given besides its arguments.
pub struct Io<'a> {
    /// Results.
    pub out: &'a mut dyn Write,
    /// Progress, questions and complaints.
    pub err: &'a mut dyn Write,
    /// Answers to questions.
    pub input: &'a mut dyn BufRead,
    /// Whether somebody is there to answer.
    pub can_ask: bool,
    /// Whether a line of `err` can be written over.
    pub can_rewrite: bool,
    /// The value of [`TOKEN_VARIABLE`].
    pub token: Option<String>,
}

/// Runs the program with these arguments, its name first, and returns its exit code.
pub async fn run(args: impl IntoIterator<Item = OsString>, io: &mut Io<'_>) -> u8 {
    let options = match Options::try_parse_from(args) {
        Ok(options) => options,
        Err(error) => {
            let text = error.render();
            // Nobody is left to tell if this fails.
            let _ = if error.use_stderr() {
                write!(io.err, "{text}")
            } else {
                write!(io.out, "{text}")
            };
            return if error.use_stderr() { 2 } else { 0 };
        }
    };
    let done = command::execute(&options, io).await.and_then(|()| Ok(io.out.flush()?));
    match done {
        Ok(()) => 0,
        // Whoever reads has read enough, as `head` does.
        Err(Failure::Output(error)) if error.kind() == std::io::ErrorKind::BrokenPipe => 0,
        Err(failure) => {
            let _ = writeln!(io.err, "{failure}");
            failure.exit_code()
        }
    }
}
