//! Writes to a client's socket: what lies in the store's shared memory goes by sendfile(2) or through a
//! pipe, which copies nothing.

use std::io::{self, IoSlice};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::task::{Context, Poll, ready};

use cache::Backing;
use rustix::io::Errno;
use rustix::net::{SendAncillaryBuffer, SendFlags};
use tokio::io::Interest;
use tokio::net::TcpStream;

mod pipe;

use pipe::Pipe;

/// Shorter slices are copied: a call of its own costs more.
const LEAST: usize = 32 << 10;
/// From here on a pipe is worth its two calls.
const LONG: usize = 256 << 10;

/// A system that refused once will do so again.
static REFUSED: AtomicBool = AtomicBool::new(false);

/// The way of one connection's bytes to its socket.
#[derive(Default)]
pub(super) struct Sender {
    pipe: Option<Pipe>,
}

impl Sender {
    /// Whether any of `bufs` can go without being copied.
    pub(super) fn helps(&self, bufs: &[IoSlice<'_>]) -> bool {
        let large = |buf: &IoSlice<'_>| buf.len() >= LEAST && cache::backing(buf).is_some();
        self.pipe.is_some() || (bufs.iter().any(large) && !REFUSED.load(Relaxed))
    }

    /// Writes of `bufs` what the socket takes. What it does not take must come first the next time, or
    /// [`rest`](Self::rest) be called.
    pub(super) fn poll_send(
        &mut self,
        stream: &TcpStream,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        loop {
            ready!(stream.poll_write_ready(cx))?;
            match stream.try_io(Interest::WRITABLE, || self.send(stream, bufs)) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                sent => return Poll::Ready(sent),
            }
        }
    }

    /// Something else goes now, or nothing: other connections may have the pipe.
    pub(super) fn rest(&mut self) {
        if let Some(pipe) = self.pipe.take() {
            pipe.give_back();
        }
    }

    fn send(&mut self, stream: &TcpStream, mut bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        let mut sent = 0;
        while !bufs.is_empty() {
            let run = self.first(bufs);
            let slices = &bufs[..run.count];
            let result = match run.way {
                Way::Pipe => self.through_pipe(stream, slices, run.length),
                Way::File(from) => send_file(stream, from, run.length),
                Way::Copy => send_copy(stream, slices, run.count < bufs.len()),
            };
            match result {
                Ok(some) => {
                    sent += some;
                    if some < run.length {
                        break;
                    }
                }
                // The next write meets it again.
                Err(_) if sent > 0 => break,
                Err(error) if matches!(run.way, Way::Copy) || passes(error) => {
                    return Err(error.into());
                }
                Err(error) => {
                    let for_good =
                        [Errno::PERM, Errno::ACCESS, Errno::INVAL, Errno::NOSYS, Errno::OPNOTSUPP];
                    REFUSED.fetch_or(for_good.contains(&error), Relaxed);
                    self.rest();
                    return Ok(send_copy(stream, bufs, false)?);
                }
            }
            bufs = &bufs[run.count..];
        }
        Ok(sent)
    }

    /// How to send the first of `bufs`, and how many with it.
    fn first(&mut self, bufs: &[IoSlice<'_>]) -> Run {
        let lies = |buf: &IoSlice<'_>| cache::backing(buf);
        let Some(from) = bufs.first().and_then(lies) else {
            self.rest();
            return Run::of(bufs.iter().take_while(|buf| lies(buf).is_none()), Way::Copy);
        };
        let all = Run::of(bufs.iter().take_while(|buf| lies(buf).is_some()), Way::Pipe);
        if self.pipe.is_none() && all.length >= LONG {
            self.pipe = Pipe::get();
        }
        if self.pipe.is_some() {
            return all;
        }
        if all.length < LEAST {
            return Run { way: Way::Copy, ..all };
        }
        let mut length = 0;
        let follows = |buf: &&IoSlice<'_>| {
            let follows = lies(buf).is_some_and(|this| from.is_followed_by(this, length));
            length += buf.len() as u64;
            follows
        };
        Run::of(bufs.iter().take_while(follows), Way::File(from))
    }

    fn through_pipe(
        &mut self,
        stream: &TcpStream,
        run: &[IoSlice<'_>],
        length: usize,
    ) -> Result<usize, Errno> {
        if let Some(mut pipe) = self.pipe.take()
            && let Some(result) = pipe.send(stream, run, length)
        {
            self.pipe = pipe.unless_empty();
            return result;
        }
        // Whatever is wrong with the pipe, copying does it.
        send_copy(stream, run, false)
    }
}

impl Drop for Sender {
    fn drop(&mut self) {
        self.rest();
    }
}

/// The first slices, and how to send them.
struct Run {
    count: usize,
    length: usize,
    way: Way,
}

enum Way {
    Pipe,
    /// They follow each other in a file.
    File(Backing),
    Copy,
}

impl Run {
    fn of<'a>(bufs: impl Iterator<Item = &'a IoSlice<'a>>, way: Way) -> Self {
        let add = |(count, length), buf: &IoSlice<'_>| (count + 1, length + buf.len());
        let (count, length) = bufs.fold((0, 0), add);
        Self { count, length, way }
    }
}

/// Errors of the socket, which say nothing about the way.
fn passes(error: Errno) -> bool {
    matches!(error, Errno::AGAIN | Errno::INTR | Errno::PIPE | Errno::CONNRESET)
}

fn send_file(stream: &TcpStream, from: Backing, length: usize) -> Result<usize, Errno> {
    let mut offset = from.offset;
    rustix::fs::sendfile(stream, from.file, Some(&mut offset), length)
}

fn send_copy(stream: &TcpStream, bufs: &[IoSlice<'_>], more: bool) -> Result<usize, Errno> {
    let more = if more { SendFlags::MORE } else { SendFlags::empty() };
    let mut none = SendAncillaryBuffer::default();
    rustix::net::sendmsg(stream, bufs, &mut none, SendFlags::NOSIGNAL | more)
}

#[cfg(test)]
mod tests;
