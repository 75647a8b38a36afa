//! Tests that build upon each other, shown as those of `cargo test` are.

use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

use runtime::Clock;

/// A test with its name, which is that of its function.
pub(crate) struct Step<S> {
    pub(crate) name: &'static str,
    pub(crate) run: fn(&mut S),
}

macro_rules! step {
    ($module:ident::$name:ident) => {
        Step { name: concat!(stringify!($module), "::", stringify!($name)), run: $module::$name }
    };
}
pub(crate) use step;

/// Runs `steps` up to the last whose name has the argument in it, if there is one. When one fails, `tell` shows how
/// things are. In the end `leave` takes away what is left.
pub(crate) fn run<S>(
    suite: &str,
    steps: &[Step<S>],
    begin: fn() -> S,
    tell: fn(&S),
    leave: fn(&mut S),
) -> ExitCode {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let has = |flag: &str| arguments.iter().any(|argument| argument == flag);
    let wanted: Vec<_> = arguments.iter().filter(|word| !word.starts_with('-')).collect();
    let is_wanted = |step: &Step<S>| {
        let name = format!("{suite}::{}", step.name);
        wanted.is_empty() || wanted.iter().any(|word| name.contains(word.as_str()))
    };
    if has("--list") {
        steps.iter().for_each(|step| say(&format!("{suite}::{}: test", step.name)));
        return ExitCode::SUCCESS;
    }
    let there_is_a_cluster = has("--ignored") || has("--include-ignored");
    let until = steps.iter().rposition(is_wanted).map_or(0, |last| last + 1);
    say(&format!("\nrunning {until} tests"));
    if !there_is_a_cluster {
        for step in &steps[..until] {
            say(&format!("test {suite}::{} ... ignored, needs a cluster: make e2e", step.name));
        }
        say(&result(true, 0, 0, until, steps.len() - until, 0.0));
        return ExitCode::SUCCESS;
    }
    let clock = Clock::system();
    let (mut state, mut passed, mut failed) = (begin(), 0, 0);
    for step in &steps[..until] {
        let began = clock.monotonic();
        let good = catch_unwind(AssertUnwindSafe(|| (step.run)(&mut state))).is_ok();
        let seconds = clock.monotonic().saturating_sub(began).as_secs_f64();
        let word = if good { "ok" } else { "FAILED" };
        say(&format!("test {suite}::{} ... {word} ({seconds:.1} s)", step.name));
        if !good {
            failed += 1;
            tell(&state);
            break;
        }
        passed += 1;
    }
    let left = until - passed - failed;
    if left > 0 {
        say(&format!("{left} tests go on from there, and were not run"));
    }
    if until > 0 {
        leave(&mut state);
    }
    let seconds = clock.monotonic().as_secs_f64();
    say(&result(failed == 0, passed, failed, left, steps.len() - until, seconds));
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn result(
    good: bool,
    passed: usize,
    failed: usize,
    ignored: usize,
    out: usize,
    seconds: f64,
) -> String {
    let word = if good { "ok" } else { "FAILED" };
    format!(
        "\ntest result: {word}. {passed} passed; {failed} failed; {ignored} ignored; 0 measured; {out} filtered out; \
         finished in {seconds:.2}s\n"
    )
}

/// Prints a line.
pub(crate) fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{line}");
    let _ = out.flush();
}
