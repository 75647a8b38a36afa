//! Several packets for one system call: a busy server takes what has come together, and sends the answers together.

use std::array::from_fn;
use std::io::{self, IoSlice, IoSliceMut};
use std::net::{SocketAddr, SocketAddrV4, SocketAddrV6, UdpSocket};
use std::os::fd::AsRawFd;

use dns::packet::{MAX_QUERY, MAX_UDP};
use nix::sys::socket::{
    ControlMessage, MsgFlags, MultiHeaders, SockaddrStorage, recvmmsg, sendmmsg,
};

/// Packets of one call. More gain nothing and leave the processor's nearest cache.
pub(super) const MOST: usize = 32;

/// Bytes for a query: more than is read of one, so that a longer one is not taken for a whole; and three lines of the
/// cache more than a page, so that the queries of a batch do not all want the same few places in it.
const QUERY: usize = MAX_QUERY + 192;

/// Queries that came together and their answers. Everything is allocated once.
pub(super) struct Batch {
    receiving: MultiHeaders<SockaddrStorage>,
    sending: MultiHeaders<SockaddrStorage>,
    queries: Box<[[u8; QUERY]; MOST]>,
    /// Of each query its length, and from whom it is.
    came: [Came; MOST],
    answers: Box<[[u8; MAX_UDP]; MOST]>,
    lengths: [usize; MOST],
    peers: [Option<SockaddrStorage>; MOST],
    /// How many answers wait to be sent.
    ready: usize,
}

impl Batch {
    pub(super) fn new() -> Self {
        Self {
            receiving: MultiHeaders::preallocate(MOST, None),
            sending: MultiHeaders::preallocate(MOST, None),
            queries: Box::new([[0; QUERY]; MOST]),
            came: [(0, None); MOST],
            answers: Box::new([[0; MAX_UDP]; MOST]),
            lengths: [0; MOST],
            peers: [None; MOST],
            ready: 0,
        }
    }

    /// Waits for a query and takes those that came with it. Says how many.
    pub(super) fn receive(&mut self, socket: &UdpSocket) -> io::Result<usize> {
        let mut slices = self.queries.each_mut().map(|query| [IoSliceMut::new(query)]);
        let (receiving, wait) = (&mut self.receiving, MsgFlags::MSG_WAITFORONE);
        let received = recvmmsg(socket.as_raw_fd(), receiving, slices.iter_mut(), wait, None)?;
        let mut count = 0;
        for (came, message) in self.came.iter_mut().zip(received) {
            *came = (message.bytes, message.address);
            count += 1;
        }
        Ok(count)
    }

    /// One of the queries received and from whom it is, unless it is too long or from nowhere.
    pub(super) fn query(&self, nth: usize) -> Option<(&[u8], SocketAddr)> {
        query(&self.came, &self.queries, nth)
    }

    /// Answers one of the queries received. `answer` writes into the room that it is given and says how many bytes; 0 is
    /// no answer.
    pub(super) fn answer(
        &mut self,
        nth: usize,
        answer: impl FnOnce(&[u8], SocketAddr, &mut [u8; MAX_UDP]) -> usize,
    ) {
        let Some((query, peer)) = query(&self.came, &self.queries, nth) else { return };
        let Some(room) = self.answers.get_mut(self.ready) else { return };
        let length = answer(query, peer, room);
        if length > 0 {
            self.lengths[self.ready] = length.min(MAX_UDP);
            self.peers[self.ready] = self.came[nth].1;
            self.ready += 1;
        }
    }

    /// Sends the answers. Those that cannot be sent are left out; `failed` hears of each.
    pub(super) fn send(&mut self, socket: &UdpSocket, mut failed: impl FnMut(&io::Error)) {
        let slices: [_; MOST] =
            from_fn(|nth| [IoSlice::new(&self.answers[nth][..self.lengths[nth]])]);
        let ready = std::mem::take(&mut self.ready);
        let none: [ControlMessage<'_>; 0] = [];
        let mut from = 0;
        while from < ready {
            let (slices, peers) = (&slices[from..ready], &self.peers[from..ready]);
            let (file, flags) = (socket.as_raw_fd(), MsgFlags::empty());
            let sent = sendmmsg(file, &mut self.sending, slices, peers, none, flags);
            // The kernel stops before one that it cannot send, and says why when that is the first.
            from += match sent {
                Ok(sent) => sent.count().max(1),
                Err(error) => {
                    failed(&error.into());
                    1
                }
            };
        }
    }
}

type Came = (usize, Option<SockaddrStorage>);

fn query<'a>(
    came: &[Came; MOST],
    queries: &'a [[u8; QUERY]; MOST],
    nth: usize,
) -> Option<(&'a [u8], SocketAddr)> {
    let (length, from) = came.get(nth)?;
    let peer = from.as_ref().and_then(address).filter(|peer| peer.port() != 0)?;
    let query = queries.get(nth)?.get(..*length).filter(|query| query.len() <= MAX_QUERY)?;
    Some((query, peer))
}

fn address(from: &SockaddrStorage) -> Option<SocketAddr> {
    let v4 = from.as_sockaddr_in().map(|v4| SocketAddrV4::from(*v4).into());
    v4.or_else(|| from.as_sockaddr_in6().map(|v6| SocketAddrV6::from(*v6).into()))
}

#[cfg(test)]
mod tests;
