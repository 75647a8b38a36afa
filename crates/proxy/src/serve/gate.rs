//! The socket as hyper sees it: every byte from an HTTP/1 client passes the framing check first.
//!
//! hyper forgives what RFC 9112 lets a recipient forgive (a bare LF, `Content-Length` beside
//! `Transfer-Encoding`), and what one hop forgives and the next reads otherwise is how requests are
//! smuggled. So the first offending byte is replaced by one that hyper refuses with 400, and nothing
//! behind it is read.

use std::cell::RefCell;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf, Bytes};
use hyper::rt::{Read, ReadBufCursor, Write};
use runtime::metrics::IntCounterVec;
use semantics::{FramingCheck, FramingError, HeadLimits};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;

use super::connection::Connection;
use super::send::Sender;
use super::turn::Turn;

const SCRATCH_BYTES: usize = 64 << 10;
/// In place of what must not be read: a byte that hyper takes neither in a head nor in a chunk size, and what looks like
/// the end of a head, without which it would not look at one that comes in pieces.
const POISON: &[u8] = b"\0\n\n";
/// A head and a small body leave faster copied together than as a vector of two.
const FLAT: usize = 8 << 10;

/// A write of so many bytes is a turn: others write before the next one.
const TURN: usize = 64 << 10;
/// Writes end with the piece of a stored body that completes so many bytes of a message. Clients of the same object then
/// walk through it side by side, and all but the first find its bytes in the core's cache. Pieces are not cut: what is
/// left of one would take calls of its own.
const STRIDE: usize = 2 * cache::CHUNK;
/// Bytes that a client may still send while it reads the last of what it gets.
const DISCARDED: usize = 256 << 10;
/// Pieces in one write.
const PIECES: usize = 16;

thread_local! {
    /// One buffer a thread for reads and small writes: idle connections hold none.
    static SCRATCH: RefCell<Box<[u8]>> = RefCell::new(vec![0; SCRATCH_BYTES].into_boxed_slice());
}

/// A client's socket, checked and watched.
pub(super) struct Gate {
    stream: TcpStream,
    connection: Arc<Connection>,
    /// What was taken from the stream before.
    taken: Bytes,
    check: Option<FramingCheck>,
    refused: Option<IntCounterVec>,
    poisoned: bool,
    /// What hyper has not read yet of [`POISON`].
    poison: &'static [u8],
    /// What is said in place of hyper's bare 400.
    farewell: Option<FramingError>,
    /// That, as far as it is not sent yet.
    parting: Bytes,
    /// The last flush found nothing left to write: an interim response may go out.
    between_messages: bool,
    turn: Turn,
    /// Bytes written since the end of a stride.
    along: usize,
    sender: Sender,
    /// Bytes that were read and thrown away at the end.
    discarded: usize,
}

impl Gate {
    /// Checks framing, counting what it refuses in `refused`; without it (HTTP/2), passes bytes as they are.
    pub(super) fn new(
        stream: TcpStream,
        connection: Arc<Connection>,
        refused: Option<IntCounterVec>,
    ) -> Self {
        // hyper counts the others, and answers 431 to all of them.
        let limits = HeadLimits {
            // What is put in place of the rest must fit into what hyper reads.
            max_line_bytes: (connection.limits.max_head_bytes as usize)
                .saturating_sub(POISON.len() + 1),
            max_head_bytes: usize::MAX >> 1,
            max_fields: usize::MAX >> 1,
        };
        let check = refused.as_ref().map(|_| FramingCheck::new(limits));
        Self {
            stream,
            connection,
            taken: Bytes::new(),
            check,
            refused,
            poisoned: false,
            poison: POISON,
            farewell: None,
            parting: Bytes::new(),
            between_messages: true,
            turn: Turn::default(),
            along: 0,
            sender: Sender::default(),
            discarded: 0,
        }
    }

    /// The first bytes of the stream are `taken` from it already.
    pub(super) fn behind(mut self, taken: Bytes) -> Self {
        self.taken = taken;
        self
    }

    /// Lets the client read the last answer before the socket goes: data left unread would reset the
    /// connection and the answer with it.
    pub(super) async fn linger(mut self) {
        const PATIENCE: Duration = Duration::from_secs(1);
        if !self.poisoned && self.connection.in_service.load(Ordering::Relaxed) == 0 {
            return;
        }
        let _ = self.stream.shutdown().await;
        let drain = async {
            let mut sink = [0; 4096];
            let mut left = DISCARDED;
            while let Ok(n) = self.stream.read(&mut sink).await
                && n > 0
            {
                left = left.saturating_sub(n);
                if left == 0 {
                    break;
                }
            }
        };
        let _ = tokio::time::timeout(PATIENCE, drain).await;
    }

    /// Runs the check over `bytes`; returns how many of them may pass.
    fn check(&mut self, bytes: &[u8]) -> usize {
        let connection = &self.connection;
        let Some(check) = &mut self.check else { return bytes.len() };
        if connection.tunnel.load(Ordering::Relaxed) {
            self.check = None;
            return bytes.len();
        }
        let result = check.feed(bytes);
        let since = connection.head_since.load(Ordering::Relaxed);
        if !check.in_head() {
            connection.head_since.store(0, Ordering::Relaxed);
        } else if since == 0 {
            connection.head_since.store(connection.tick().max(1), Ordering::Relaxed);
        }
        match result {
            Ok(()) => bytes.len(),
            Err((offset, error)) => {
                self.poisoned = true;
                // A bad chunk comes in the middle of a request, which has an answer of its own.
                self.farewell = (error != FramingError::BadChunk).then_some(error);
                if let Some(refused) = &self.refused {
                    refused.with_label_values(&[error.as_str()]).inc();
                }
                tracing::debug!(peer = %connection.peer, reason = error.as_str(), "request refused");
                offset
            }
        }
    }
}

impl Read for Gate {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        mut out: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.poisoned {
            this.put_poison(&mut out);
            return Poll::Ready(Ok(()));
        }
        SCRATCH.with_borrow_mut(|scratch| {
            let room = out.remaining().min(scratch.len());
            let mut buffer = ReadBuf::new(&mut scratch[..room]);
            let polled = if this.taken.is_empty() {
                Pin::new(&mut this.stream).poll_read(cx, &mut buffer)
            } else {
                let taken = this.taken.split_to(this.taken.len().min(room));
                buffer.put_slice(&taken);
                Poll::Ready(Ok(()))
            };
            let connection = &this.connection;
            let in_body = this.check.as_ref().is_some_and(|c| !c.in_head() && !c.at_boundary());
            if polled.is_pending() {
                connection.awaits_body.store(in_body, Ordering::Relaxed);
            }
            ready!(polled)?;
            connection.awaits_body.store(false, Ordering::Relaxed);
            // Whoever waited for its client has let others write meanwhile; the next message is walked through anew.
            this.turn = Turn::default();
            this.along = 0;
            connection.read_at.store(connection.tick(), Ordering::Relaxed);
            let passed = this.check(buffer.filled());
            out.put_slice(&buffer.filled()[..passed]);
            if this.poisoned {
                this.put_poison(&mut out);
            }
            Poll::Ready(Ok(()))
        })
    }
}

impl Gate {
    fn put_poison(&mut self, out: &mut ReadBufCursor<'_>) {
        let (now, later) = self.poison.split_at(self.poison.len().min(out.remaining()));
        out.put_slice(now);
        self.poison = later;
    }

    fn wrote(&mut self, polled: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        let connection = &self.connection;
        connection.blocked.store(polled.is_pending(), Ordering::Relaxed);
        if let Poll::Ready(Ok(written)) = polled {
            self.along += written;
            if written >= TURN || self.along >= STRIDE {
                self.turn.end();
            }
            if self.along >= STRIDE {
                self.along = 0;
            }
        }
        if polled.is_ready() {
            connection.wrote_at.store(connection.tick(), Ordering::Relaxed);
            self.between_messages = false;
        }
        polled
    }

    /// Says why the request was refused in place of `said`, if that is what hyper says of it: hyper only knows that it
    /// could not read it. What answers a request before it comes from a cache and says so. Whether it did.
    fn poll_farewell(&mut self, cx: &mut Context<'_>, said: &[u8]) -> Poll<io::Result<bool>> {
        let of_hyper = || {
            let status = [b"HTTP/1.1 400 ", b"HTTP/1.1 431 "].iter().any(|s| said.starts_with(*s));
            status && memchr::memmem::find(said, b"cache-status:").is_none()
        };
        let Some(error) = self.farewell.filter(|_| of_hyper()) else {
            return Poll::Ready(Ok(false));
        };
        if self.parting.is_empty() {
            self.parting = farewell(error, said);
        }
        while self.parting.has_remaining() {
            let written = ready!(Pin::new(&mut self.stream).poll_write(cx, &self.parting))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.parting.advance(written);
        }
        self.farewell = None;
        Poll::Ready(Ok(true))
    }

    /// Reads on until the client has left: what it says of windows meanwhile would reset the connection, and what it has
    /// not read yet with it. The sweeper sees to it that this ends.
    fn poll_end(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.connection.lingers.store(true, Ordering::Relaxed);
        SCRATCH.with_borrow_mut(|scratch| {
            loop {
                let mut buffer = ReadBuf::new(scratch);
                match ready!(Pin::new(&mut self.stream).poll_read(cx, &mut buffer)) {
                    Ok(()) if !buffer.filled().is_empty() && self.discarded < DISCARDED => {
                        self.discarded += buffer.filled().len();
                    }
                    _ => return Poll::Ready(()),
                }
            }
        })
    }

    /// Writes interim responses that wait, if the last message went out whole.
    fn poll_interim(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if !self.between_messages {
            return Poll::Ready(Ok(()));
        }
        let mut interim = self.connection.interim.lock();
        while interim.has_remaining() {
            let written = ready!(Pin::new(&mut self.stream).poll_write(cx, &interim))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            interim.advance(written);
        }
        Poll::Ready(Ok(()))
    }
}

/// As much of `bufs` as a stride has left, and the rest of a piece, put into `part`.
fn up_to<'p, 'b>(
    left: usize,
    bufs: &'b [IoSlice<'_>],
    part: &'p mut [IoSlice<'b>; PIECES],
) -> &'p [IoSlice<'b>] {
    let (mut left, mut count) = (left, 0);
    for (to, from) in part.iter_mut().zip(bufs) {
        if left == 0 {
            break;
        }
        let some = if from.len() > cache::CHUNK { &from[..from.len().min(left)] } else { &**from };
        *to = IoSlice::new(some);
        left = left.saturating_sub(some.len());
        count += 1;
    }
    &part[..count]
}

/// The answer to a request whose framing is refused, in place of `said`, which has the date.
fn farewell(error: FramingError, said: &[u8]) -> Bytes {
    let reason = error.as_str();
    let (status, body) = match error {
        //= rfc9112#3
        FramingError::TargetTooLong => {
            ("414 URI Too Long", format!("414 {reason}: the request line is too long\n"))
        }
        _ => {
            let text = "the request breaks RFC 9112 and was not read";
            ("400 Bad Request", format!("400 {reason}: {text}\n"))
        }
    };
    let mut lines = said.split(|b| *b == b'\n');
    let date = lines.find(|line| line.len() > 5 && line[..5].eq_ignore_ascii_case(b"date:"));
    let date =
        date.map_or_else(String::new, |line| String::from_utf8_lossy(line).into_owned() + "\n");
    let head = "Content-Type: text/plain; charset=utf-8\r\nCache-Control: no-store\r\nConnection: close\r\n";
    let length = body.len();
    format!("HTTP/1.1 {status}\r\n{date}{head}Content-Length: {length}\r\n\r\n{body}").into()
}

impl Write for Gate {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        ready!(self.turn.poll(cx));
        ready!(self.poll_interim(cx))?;
        if ready!(self.poll_farewell(cx, buf))? {
            return Poll::Ready(Ok(buf.len()));
        }
        self.sender.rest();
        let polled = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.wrote(polled)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        ready!(self.turn.poll(cx));
        ready!(self.poll_interim(cx))?;
        let length: usize = bufs.iter().map(|buf| buf.len()).sum();
        if ready!(self.poll_farewell(cx, bufs.first().map_or(&[], |buf| &buf[..])))? {
            return Poll::Ready(Ok(length));
        }
        let this = &mut *self;
        let left = STRIDE - this.along;
        let stream = Pin::new(&mut this.stream);
        let polled = if bufs.len() > 1 && length <= FLAT {
            this.sender.rest();
            SCRATCH.with_borrow_mut(|scratch| {
                let mut end = 0;
                for buf in bufs {
                    scratch[end..end + buf.len()].copy_from_slice(buf);
                    end += buf.len();
                }
                stream.poll_write(cx, &scratch[..end])
            })
        } else {
            let mut part = [IoSlice::new(&[]); PIECES];
            let part = up_to(left, bufs, &mut part);
            if this.sender.helps(part) {
                this.sender.poll_send(&stream, cx, part)
            } else {
                this.sender.rest();
                stream.poll_write_vectored(cx, part)
            }
        };
        self.wrote(polled)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        // hyper flushes the socket only when its own buffer is empty.
        self.between_messages = true;
        self.sender.rest();
        self.poll_interim(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        ready!(Pin::new(&mut this.stream).poll_shutdown(cx))?;
        // HTTP/1 has its own way to linger.
        if this.check.is_some() || this.refused.is_some() {
            return Poll::Ready(Ok(()));
        }
        this.poll_end(cx).map(Ok)
    }
}

#[cfg(test)]
mod tests;
