//! HTTP/1.1 messages byte by byte, for both ends: strict where a test looks, without an opinion elsewhere.

use std::io;

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// Field lines, in order, with their names as they were sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fields(pub Vec<(String, String)>);

impl Fields {
    /// The first value of `name`.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.all(name).first().copied()
    }

    /// Every value of `name`.
    pub fn all(&self, name: &str) -> Vec<&str> {
        let same = |(known, _): &&(String, String)| known.eq_ignore_ascii_case(name);
        self.0.iter().filter(same).map(|(_, value)| value.as_str()).collect()
    }

    /// Whether there is a line of `name`.
    pub fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// Adds a line.
    pub fn add(&mut self, name: &str, value: &str) {
        self.0.push((name.to_owned(), value.to_owned()));
    }

    /// Takes every line of `name` away.
    pub fn remove(&mut self, name: &str) {
        self.0.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
    }

    /// Whether one of the comma-separated members of `name` is `member`.
    pub fn lists(&self, name: &str, member: &str) -> bool {
        let mut members = self.all(name).into_iter().flat_map(|line| line.split(','));
        members.any(|m| m.trim().eq_ignore_ascii_case(member))
    }
}

impl<const N: usize> From<[(&str, &str); N]> for Fields {
    fn from(fields: [(&str, &str); N]) -> Self {
        Self(fields.map(|(n, v)| (n.to_owned(), v.to_owned())).to_vec())
    }
}

/// A message's first line and fields.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Head {
    /// Request or status line.
    pub line: String,
    /// The fields.
    pub fields: Fields,
}

/// How much of a body is still to come.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Rest {
    /// None of it.
    Nothing,
    /// So many bytes.
    Length(u64),
    /// Chunks up to the last.
    Chunked,
    /// Whatever comes until the connection ends.
    UntilClose,
}

impl Rest {
    /// What the fields of a message announce; nothing if they do not.
    pub fn of(fields: &Fields) -> Self {
        if fields.lists("transfer-encoding", "chunked") {
            return Self::Chunked;
        }
        match fields.get("content-length").and_then(|l| l.parse().ok()) {
            Some(0) | None => Self::Nothing,
            Some(length) => Self::Length(length),
        }
    }
}

/// A connection with a buffer.
#[derive(Debug)]
pub struct Wire<S> {
    stream: S,
    buffer: BytesMut,
}

/// Bytes read at once.
const PIECE: usize = 64 << 10;

impl<S: AsyncRead + AsyncWrite + Unpin> Wire<S> {
    /// Over `stream`.
    pub fn new(stream: S) -> Self {
        Self { stream, buffer: BytesMut::new() }
    }

    /// The connection itself.
    pub fn stream(&self) -> &S {
        &self.stream
    }

    /// Sends `bytes`.
    ///
    /// # Errors
    /// When the connection is gone.
    pub async fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes).await?;
        self.stream.flush().await
    }

    /// Sends no more.
    ///
    /// # Errors
    /// When the connection is gone.
    pub async fn finish(&mut self) -> io::Result<()> {
        self.stream.shutdown().await
    }

    /// The next head; `None` when the connection ended before it began.
    ///
    /// # Errors
    /// When the connection breaks in it.
    pub async fn head(&mut self) -> io::Result<Option<Head>> {
        if self.buffer.is_empty() && !self.more().await? {
            return Ok(None);
        }
        let mut head = Head { line: self.line().await?, fields: Fields::default() };
        loop {
            let line = self.line().await?;
            if line.is_empty() {
                return Ok(Some(head));
            }
            let (name, value) = line.split_once(':').unwrap_or((&line, ""));
            head.fields.add(name, value.trim());
        }
    }

    /// The next piece of a body; `None` after its last byte.
    ///
    /// # Errors
    /// When it ends early.
    pub async fn piece(&mut self, rest: &mut Rest) -> io::Result<Option<Bytes>> {
        match *rest {
            Rest::Nothing => Ok(None),
            Rest::Length(left) => {
                if self.buffer.is_empty() && !self.more().await? {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
                let most =
                    usize::try_from(left).map_or(self.buffer.len(), |l| l.min(self.buffer.len()));
                let piece = self.buffer.split_to(most).freeze();
                let left = left - piece.len() as u64;
                *rest = if left == 0 { Rest::Nothing } else { Rest::Length(left) };
                Ok(Some(piece))
            }
            Rest::UntilClose => {
                if self.buffer.is_empty() && !self.more().await? {
                    *rest = Rest::Nothing;
                    return Ok(None);
                }
                Ok(Some(self.buffer.split().freeze()))
            }
            Rest::Chunked => {
                let line = self.line().await?;
                let digits = line.split(';').next().unwrap_or_default().trim();
                let size = usize::from_str_radix(digits, 16)
                    .map_err(|_| io::Error::other(format!("not a chunk size: {line:?}")))?;
                if size == 0 {
                    while !self.line().await?.is_empty() {}
                    *rest = Rest::Nothing;
                    return Ok(None);
                }
                let data = self.exactly(size).await?;
                self.line().await?;
                Ok(Some(data))
            }
        }
    }

    /// Exactly `size` bytes.
    ///
    /// # Errors
    /// When there are fewer.
    pub async fn exactly(&mut self, size: usize) -> io::Result<Bytes> {
        while self.buffer.len() < size {
            if !self.more().await? {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        Ok(self.buffer.split_to(size).freeze())
    }

    /// What is there, at least one byte; nothing at the end of the connection.
    ///
    /// # Errors
    /// When the connection breaks.
    pub async fn some(&mut self) -> io::Result<Bytes> {
        if self.buffer.is_empty() {
            self.more().await?;
        }
        Ok(self.buffer.split().freeze())
    }

    async fn line(&mut self) -> io::Result<String> {
        let mut looked = 0;
        loop {
            if let Some(end) = self.buffer[looked..].windows(2).position(|w| w == b"\r\n") {
                let line = self.buffer.split_to(looked + end + 2);
                return Ok(String::from_utf8_lossy(&line[..line.len() - 2]).into_owned());
            }
            looked = self.buffer.len().saturating_sub(1);
            if !self.more().await? {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    }

    async fn more(&mut self) -> io::Result<bool> {
        self.buffer.reserve(PIECE);
        Ok(self.stream.read_buf(&mut self.buffer).await? > 0)
    }
}
