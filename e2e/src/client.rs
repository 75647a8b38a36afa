//! A client that sends exactly what a test says and reads exactly what comes.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::net::{TcpSocket, TcpStream};

use crate::http1::{Fields, Rest, Wire};

mod http2;

pub use http2::Http2;

/// The host that the tests' site answers to.
pub const HOST: &str = "cdn.example.com";
/// How long a test waits for something that must happen.
const PATIENCE: Duration = Duration::from_secs(30);

/// A request to be sent.
#[derive(Clone, Debug)]
pub struct Request {
    /// The method.
    pub method: String,
    /// Path and query.
    pub target: String,
    /// The fields; a `Host` is added to those that have none.
    pub fields: Fields,
    /// The body; a `Content-Length` is added where there is one.
    pub body: Bytes,
}

impl Request {
    /// `method target`, without a body.
    pub fn new(method: &str, target: &str) -> Self {
        Self {
            method: method.to_owned(),
            target: target.to_owned(),
            fields: Fields::default(),
            body: Bytes::new(),
        }
    }

    /// A GET.
    pub fn get(target: &str) -> Self {
        Self::new("GET", target)
    }

    /// Adds a field.
    #[must_use]
    pub fn field(mut self, name: &str, value: &str) -> Self {
        self.fields.add(name, value);
        self
    }

    /// With a body.
    #[must_use]
    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self
    }

    /// As it goes over the wire.
    pub fn to_bytes(&self) -> Bytes {
        let mut text = format!("{} {} HTTP/1.1\r\n", self.method, self.target);
        if !self.fields.has("host") {
            text.push_str(&format!("Host: {HOST}\r\n"));
        }
        for (name, value) in &self.fields.0 {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        if !self.body.is_empty() && !self.fields.has("content-length") {
            text.push_str(&format!("Content-Length: {}\r\n", self.body.len()));
        }
        text.push_str("\r\n");
        let mut bytes = text.into_bytes();
        bytes.extend_from_slice(&self.body);
        bytes.into()
    }
}

impl From<&str> for Request {
    fn from(target: &str) -> Self {
        Self::get(target)
    }
}

impl From<&Request> for Request {
    fn from(request: &Request) -> Self {
        request.clone()
    }
}

/// A response as it came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// Interim responses before it.
    pub interim: Vec<(u16, Fields)>,
    /// The status.
    pub status: u16,
    /// The fields.
    pub fields: Fields,
    /// The body, as far as it was read.
    pub body: Bytes,
    /// The connection broke before the body's end.
    pub cut: bool,
}

impl Answer {
    /// The first value of a field, or nothing.
    pub fn field(&self, name: &str) -> &str {
        self.fields.get(name).unwrap_or_default()
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// Asserts the status.
    ///
    /// # Panics
    /// When it is another.
    #[track_caller]
    pub fn expect_status(&self, status: u16) -> &Self {
        assert_eq!(self.status, status, "{self:#?}");
        self
    }

    /// Asserts the status and the word in `X-Cache`.
    ///
    /// # Panics
    /// When one is another.
    #[track_caller]
    pub fn expect(&self, status: u16, word: &str) -> &Self {
        assert_eq!((self.status, self.field("x-cache")), (status, word), "{self:#?}");
        self
    }

    /// Asserts the whole body.
    ///
    /// # Panics
    /// When it is another, or was cut.
    #[track_caller]
    pub fn expect_body(&self, body: impl AsRef<[u8]>) -> &Self {
        let body = body.as_ref();
        assert!(!self.cut, "cut after {} bytes, wanted {}", self.body.len(), body.len());
        if body.len() < 1000 {
            assert_eq!(self.text(), String::from_utf8_lossy(body), "{self:#?}");
        }
        assert!(
            self.body == body,
            "{} other bytes than the {} wanted",
            self.body.len(),
            body.len()
        );
        self
    }

    /// Asserts that a field has this value and no second one.
    ///
    /// # Panics
    /// When it has not.
    #[track_caller]
    pub fn expect_field(&self, name: &str, value: &str) -> &Self {
        assert_eq!(self.fields.all(name), [value], "{name} of {self:#?}");
        self
    }

    /// Asserts that a field is absent.
    ///
    /// # Panics
    /// When it is there.
    #[track_caller]
    pub fn expect_no(&self, name: &str) -> &Self {
        assert!(!self.fields.has(name), "{name} is there: {self:#?}");
        self
    }

    /// Asserts that `Cache-Status` contains `part`.
    ///
    /// # Panics
    /// When it does not.
    #[track_caller]
    pub fn expect_cache_status(&self, part: &str) -> &Self {
        assert!(self.field("cache-status").contains(part), "no {part:?} in {self:#?}");
        self
    }
}

/// An HTTP/1.1 connection.
#[derive(Debug)]
pub struct Client {
    wire: Wire<TcpStream>,
    rest: Rest,
    /// Methods of the requests that have no answer yet.
    awaited: std::collections::VecDeque<String>,
}

impl Client {
    /// Connects.
    ///
    /// # Errors
    /// When nobody listens.
    pub async fn connect(address: SocketAddr) -> io::Result<Self> {
        Ok(Self::over(TcpStream::connect(address).await?))
    }

    /// Connects with a small receive buffer, so that not reading is felt soon at the other end.
    ///
    /// # Errors
    /// When nobody listens.
    pub async fn connect_narrow(address: SocketAddr) -> io::Result<Self> {
        let socket = TcpSocket::new_v4()?;
        socket.set_recv_buffer_size(16 << 10)?;
        Ok(Self::over(socket.connect(address).await?))
    }

    fn over(stream: TcpStream) -> Self {
        let _ = stream.set_nodelay(true);
        let wire = Wire::new(stream);
        Self { wire, rest: Rest::Nothing, awaited: std::collections::VecDeque::new() }
    }

    /// Sends a request.
    ///
    /// # Errors
    /// When the connection is gone.
    pub async fn send(&mut self, request: impl Into<Request>) -> io::Result<()> {
        let request = request.into();
        self.awaited.push_back(request.method.clone());
        self.wire.send(&request.to_bytes()).await
    }

    /// Sends bytes as they are.
    ///
    /// # Errors
    /// When the connection is gone.
    pub async fn send_raw(&mut self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        self.wire.send(bytes.as_ref()).await
    }

    /// Sends no more.
    ///
    /// # Errors
    /// When the connection is gone.
    pub async fn finish(&mut self) -> io::Result<()> {
        self.wire.finish().await
    }

    /// The next response's head, with the interim ones before it.
    ///
    /// # Errors
    /// When the connection ends first.
    pub async fn head(&mut self) -> io::Result<Answer> {
        let mut answer = Answer::default();
        loop {
            let head = within(self.wire.head()).await?;
            let head = head.ok_or_else(|| io::Error::from(io::ErrorKind::UnexpectedEof))?;
            let status = head.line.split(' ').nth(1).and_then(|s| s.parse().ok());
            let status = status.ok_or_else(|| io::Error::other(format!("no status: {head:?}")))?;
            if (100..200).contains(&status) && status != 101 {
                answer.interim.push((status, head.fields));
                continue;
            }
            let method = self.awaited.pop_front().unwrap_or_default();
            self.rest = match Rest::of(&head.fields) {
                _ if method == "HEAD" || matches!(status, 101 | 204 | 304) => Rest::Nothing,
                Rest::Nothing if !head.fields.has("content-length") => Rest::UntilClose,
                rest => rest,
            };
            (answer.status, answer.fields) = (status, head.fields);
            return Ok(answer);
        }
    }

    /// The next piece of the body; `None` after its end.
    ///
    /// # Errors
    /// When it ends early.
    pub async fn piece(&mut self) -> io::Result<Option<Bytes>> {
        within(self.wire.piece(&mut self.rest)).await
    }

    /// The body from here on, up to `most` bytes or a little more, and whether it was cut short.
    ///
    /// # Errors
    /// Never when it is merely cut.
    pub async fn body(&mut self, most: usize) -> io::Result<(Bytes, bool)> {
        let mut body = BytesMut::new();
        while body.len() < most {
            match self.piece().await {
                Ok(Some(piece)) => body.extend_from_slice(&piece),
                Ok(None) => return Ok((body.freeze(), false)),
                Err(error) if is_cut(&error) => return Ok((body.freeze(), true)),
                Err(error) => return Err(error),
            }
        }
        Ok((body.freeze(), false))
    }

    /// The next response, whole.
    ///
    /// # Errors
    /// When no head comes.
    pub async fn answer(&mut self) -> io::Result<Answer> {
        let mut answer = self.head().await?;
        (answer.body, answer.cut) = self.body(usize::MAX).await?;
        Ok(answer)
    }

    /// Sends a request and reads the response.
    ///
    /// # Errors
    /// When no response comes.
    pub async fn ask(&mut self, request: impl Into<Request>) -> io::Result<Answer> {
        self.send(request).await?;
        self.answer().await
    }

    /// What comes next, whatever it is: nothing at the end of the connection.
    ///
    /// # Errors
    /// When the connection breaks, or nothing happens.
    pub async fn raw(&mut self) -> io::Result<Bytes> {
        within(self.wire.some()).await
    }

    /// Waits for the other end to close without another byte.
    ///
    /// # Errors
    /// When something comes, or nothing happens.
    pub async fn closed(&mut self) -> io::Result<()> {
        match self.raw().await {
            Ok(bytes) if bytes.is_empty() => Ok(()),
            Ok(bytes) => {
                Err(io::Error::other(format!("not closed, but: {}", bytes.escape_ascii())))
            }
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => Ok(()),
            Err(error) => Err(error),
        }
    }
}

fn is_cut(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset)
}

async fn within<T>(work: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    match tokio::time::timeout(PATIENCE, work).await {
        Ok(result) => result,
        Err(_) => Err(io::ErrorKind::TimedOut.into()),
    }
}

/// One request on a connection of its own.
///
/// # Errors
/// When no response comes.
pub async fn ask(address: SocketAddr, request: impl Into<Request>) -> io::Result<Answer> {
    Client::connect(address).await?.ask(request).await
}
