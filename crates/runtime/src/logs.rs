//! Logs: one JSON object a line on standard error, or plain text on a terminal.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

/// How log lines look.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Format {
    /// One JSON object a line.
    Json,
    /// For people.
    Text,
}

/// Starts logging; `RUST_LOG` overrides `default_filter` (`info`, `proxy=debug,info`, …).
///
/// A second call in one process changes nothing.
pub fn init(format: Format, default_filter: &str) {
    let filter =
        EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(default_filter));
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        // Colours in a file hide its fields from whoever searches it.
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(true);
    let _ = match format {
        Format::Json => builder.json().flatten_event(true).try_init(),
        Format::Text => builder.compact().try_init(),
    };
}
