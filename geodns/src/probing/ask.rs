//! One probe: a question over HTTP/1.1 on a connection of its own, of whose answer only the status counts.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use wire::zones::Probe;

/// `HTTP/1.1 204`.
const STATUS: usize = 12;

/// Why an address is not well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// Nobody listens.
    Connect,
    /// The connection broke, or what came is not HTTP.
    Exchange,
    /// It says itself that it is not well.
    Status,
}

impl Failure {
    /// A stable token for metrics and logs.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::Exchange => "exchange",
            Self::Status => "status",
        }
    }
}

/// Asks; the caller limits the time.
pub(super) async fn ask(to: SocketAddr, probe: &Probe) -> Result<(), Failure> {
    let mut stream = TcpStream::connect(to).await.map_err(|_| Failure::Connect)?;
    let question = question(to, probe);
    stream.write_all(question.as_bytes()).await.map_err(|_| Failure::Exchange)?;
    let mut head = [0; STATUS];
    stream.read_exact(&mut head).await.map_err(|_| Failure::Exchange)?;
    let status = status(&head).ok_or(Failure::Exchange)?;
    let well = if probe.path.is_some() { 200..400 } else { 200..300 };
    if well.contains(&status) { Ok(()) } else { Err(Failure::Status) }
}

fn question(to: SocketAddr, probe: &Probe) -> String {
    let host = probe.host.clone().unwrap_or_else(|| to.to_string());
    let line = match &probe.path {
        Some(path) => format!("GET {path} HTTP/1.1\r\n"),
        //= rfc9110#9.3.7
        None => "OPTIONS * HTTP/1.1\r\nmax-forwards: 0\r\n".to_owned(),
    };
    format!("{line}host: {host}\r\nuser-agent: blue-origin-geodns\r\nconnection: close\r\n\r\n")
}

fn status(head: &[u8; STATUS]) -> Option<u16> {
    let digits = head.strip_prefix(b"HTTP/1.")?.get(1..)?.strip_prefix(b" ")?;
    if !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(digits).ok()?.parse().ok()
}

#[cfg(test)]
mod tests;
