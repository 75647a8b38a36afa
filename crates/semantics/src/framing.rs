//! A strict check of the raw bytes of an HTTP/1 request stream (RFC 9112).
//!
//! Requests are smuggled where two parsers disagree about where one ends. So what a parser behind
//! this might read differently from the next server never reaches it: this follows heads, bodies
//! and chunks over a whole connection, takes bytes in whatever pieces they come, and refuses
//! everything that is not exactly what the RFC lets a sender write, also where it lets a recipient
//! be tolerant. It keeps nothing but a line that is not complete yet.

use crate::reasons::reasons;

mod chunk;
mod head;

use head::{Body, Head};

/// How large a request head may be.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct HeadLimits {
    /// Bytes of the request line.
    pub max_line_bytes: usize,
    /// Bytes of request line and fields together.
    pub max_head_bytes: usize,
    /// Field lines.
    pub max_fields: usize,
}

impl Default for HeadLimits {
    fn default() -> Self {
        Self { max_line_bytes: 64 * 1024, max_head_bytes: 64 * 1024, max_fields: 128 }
    }
}

reasons! {
    /// What is wrong with a request's bytes.
    FramingError {
        /// A carriage return without a line feed.
        BareCr => "bare-cr",
        /// A line feed without a carriage return.
        BareLf => "bare-lf",
        /// A field continued on another line.
        ObsFold => "obs-fold",
        /// Whitespace between a field's name and its colon.
        SpaceBeforeColon => "space-before-colon",
        /// A field line without a colon, or with a character no field name has.
        BadFieldName => "bad-field-name",
        /// A character no field value has.
        BadFieldValue => "bad-field-value",
        /// Both `Content-Length` and `Transfer-Encoding`.
        BothLengthAndTransferEncoding => "both-length-and-transfer-encoding",
        /// More than one `Content-Length`, or a list in it.
        DuplicateContentLength => "duplicate-content-length",
        /// A `Content-Length` that is not a number.
        BadContentLength => "bad-content-length",
        /// A `Transfer-Encoding` other than `chunked`, or in HTTP/1.0.
        BadTransferEncoding => "bad-transfer-encoding",
        /// No `Host` in HTTP/1.1.
        MissingHost => "missing-host",
        /// More than one `Host`.
        DuplicateHost => "duplicate-host",
        /// A `Host` that is none.
        BadHost => "bad-host",
        /// The request line is too long.
        TargetTooLong => "target-too-long",
        /// The head is too large.
        HeadTooLarge => "head-too-large",
        /// The head has too many fields.
        TooManyFields => "too-many-fields",
        /// A chunk whose framing is wrong.
        BadChunk => "bad-chunk",
        /// A request line that is none.
        BadRequestLine => "bad-request-line",
        /// A version that is neither HTTP/1.0 nor HTTP/1.1.
        BadVersion => "bad-version",
    }
}

/// Follows the requests of one connection.
#[derive(Clone, Debug)]
pub struct FramingCheck {
    limits: HeadLimits,
    state: State,
    head: Head,
    /// Bytes of the current head, or of the current trailers.
    seen: usize,
    /// The beginning of a line whose end has not come yet.
    partial: Vec<u8>,
    /// Whether a request has come before: the preface of HTTP/2 only starts a connection.
    used: bool,
}

#[derive(Copy, Clone, PartialEq, Eq, Debug)]
enum State {
    RequestLine,
    Fields,
    Body(u64),
    ChunkSize,
    ChunkData(u64),
    ChunkCr,
    ChunkLf,
    Trailers,
    Stopped,
}

/// Where in a line something is wrong.
type LineError = (usize, FramingError);

impl FramingCheck {
    /// At the start of a connection.
    pub fn new(limits: HeadLimits) -> Self {
        Self {
            limits,
            state: State::RequestLine,
            head: Head::default(),
            seen: 0,
            partial: Vec::new(),
            used: false,
        }
    }

    /// Takes the next bytes of the connection. An error says where in `bytes` the first offending
    /// one is, or zero when it came earlier. It lies in a head that is not complete before it, or
    /// in the framing of a chunk: what precedes it may be passed on, and nothing after it; the
    /// check is of no more use then.
    pub fn feed(&mut self, bytes: &[u8]) -> Result<(), (usize, FramingError)> {
        let mut at = 0;
        while at < bytes.len() {
            let rest = &bytes[at..];
            at += match self.state {
                State::Stopped => return Ok(()),
                State::Body(left) => {
                    let (taken, left) = skip(rest, left);
                    self.state = if left == 0 { State::RequestLine } else { State::Body(left) };
                    taken
                }
                State::ChunkData(left) => {
                    let (taken, left) = skip(rest, left);
                    self.state = if left == 0 { State::ChunkCr } else { State::ChunkData(left) };
                    taken
                }
                //= rfc9112#7.1
                State::ChunkCr if rest[0] == b'\r' => {
                    self.state = State::ChunkLf;
                    1
                }
                State::ChunkLf if rest[0] == b'\n' => {
                    self.state = State::ChunkSize;
                    1
                }
                State::ChunkCr | State::ChunkLf => return Err((at, FramingError::BadChunk)),
                _ => self.take_line(rest).map_err(|(offset, error)| (at + offset, error))?,
            };
        }
        Ok(())
    }

    /// Whether part of a head has been seen, but not all.
    pub fn in_head(&self) -> bool {
        match self.state {
            State::RequestLine => !self.partial.is_empty(),
            State::Fields => true,
            _ => false,
        }
    }

    /// Whether the bytes so far end where a request does.
    pub fn at_boundary(&self) -> bool {
        self.state == State::RequestLine && self.partial.is_empty()
    }

    /// From here on everything passes: the connection was upgraded or has become a tunnel.
    pub fn stop(&mut self) {
        self.state = State::Stopped;
        self.partial = Vec::new();
    }

    /// Whether everything passes.
    pub fn is_stopped(&self) -> bool {
        self.state == State::Stopped
    }

    /// Takes a line, or the part of one that is there; says how many bytes that was.
    fn take_line(&mut self, bytes: &[u8]) -> Result<usize, LineError> {
        let Some(end) = memchr::memchr(b'\n', bytes) else {
            self.check_size(self.partial.len() + bytes.len(), bytes.len())?;
            self.partial.extend_from_slice(bytes);
            return Ok(bytes.len());
        };
        let taken = end + 1;
        self.check_size(self.partial.len() + taken, taken)?;
        if self.partial.is_empty() {
            self.line(&bytes[..taken])?;
            return Ok(taken);
        }
        let mut line = std::mem::take(&mut self.partial);
        let carried = line.len();
        line.extend_from_slice(&bytes[..taken]);
        self.line(&line).map_err(|(at, error)| (at.saturating_sub(carried), error))?;
        line.clear();
        self.partial = line;
        Ok(taken)
    }

    /// Keeps within the limits a line of `length` bytes so far, `new` of them now.
    fn check_size(&self, length: usize, new: usize) -> Result<(), LineError> {
        if self.state == State::ChunkSize {
            let fits = length <= chunk::MAX_LINE;
            return if fits { Ok(()) } else { Err((0, FramingError::BadChunk)) };
        }
        //= rfc9112#3
        let excess = length.saturating_sub(self.limits.max_line_bytes);
        if self.state == State::RequestLine && excess > 0 {
            return Err((new.saturating_sub(excess), FramingError::TargetTooLong));
        }
        let excess = (self.seen + length).saturating_sub(self.limits.max_head_bytes);
        if excess == 0 {
            return Ok(());
        }
        Err((new.saturating_sub(excess), FramingError::HeadTooLarge))
    }

    /// One whole line, its end included.
    //= rfc9112#2.2
    fn line(&mut self, line: &[u8]) -> Result<(), LineError> {
        let Some(text) = line.strip_suffix(b"\r\n") else {
            return Err((
                bare_cr(line).unwrap_or(line.len() - 1),
                match bare_cr(line) {
                    Some(_) => FramingError::BareCr,
                    None => FramingError::BareLf,
                },
            ));
        };
        if let Some(at) = control(text) {
            return Err((
                at,
                match text[at] {
                    b'\r' => FramingError::BareCr,
                    _ => FramingError::BadFieldValue,
                },
            ));
        }
        self.seen += line.len();
        match self.state {
            State::RequestLine => self.request_line(text),
            State::Fields => self.field(text),
            State::ChunkSize => {
                let size = chunk::size(text)?;
                self.seen = 0;
                self.head.fields = 0;
                self.state = if size == 0 { State::Trailers } else { State::ChunkData(size) };
                Ok(())
            }
            _ => self.trailer(text),
        }
    }

    fn request_line(&mut self, text: &[u8]) -> Result<(), LineError> {
        // An empty line before a request is what some clients send after a body.
        if text.is_empty() {
            return Ok(());
        }
        if !self.used && text == b"PRI * HTTP/2.0" {
            self.stop();
            return Ok(());
        }
        self.head = Head::request_line(text)?;
        self.used = true;
        self.state = State::Fields;
        Ok(())
    }

    fn field(&mut self, text: &[u8]) -> Result<(), LineError> {
        if !text.is_empty() {
            return self.head.field(text, self.limits.max_fields);
        }
        self.state = match self.head.finish().map_err(|error| (0, error))? {
            Body::None | Body::Length(0) => State::RequestLine,
            Body::Length(length) => State::Body(length),
            Body::Chunked => State::ChunkSize,
        };
        self.seen = 0;
        Ok(())
    }

    //= rfc9112#7.1.2
    fn trailer(&mut self, text: &[u8]) -> Result<(), LineError> {
        if !text.is_empty() {
            return self.head.trailer(text, self.limits.max_fields);
        }
        self.state = State::RequestLine;
        self.seen = 0;
        Ok(())
    }
}

/// How many bytes to pass over, and how many are then left to.
fn skip(bytes: &[u8], left: u64) -> (usize, u64) {
    let taken = usize::try_from(left).map_or(bytes.len(), |left| left.min(bytes.len()));
    (taken, left - taken as u64)
}

/// A carriage return not right before the line feed at the end.
fn bare_cr(line: &[u8]) -> Option<usize> {
    memchr::memchr(b'\r', line).filter(|at| at + 2 != line.len())
}

/// The first control character other than a tab. The line is looked through without branches
/// first, which the compiler makes a matter of few instructions.
fn control(text: &[u8]) -> Option<usize> {
    let is_control = |b: &u8| (*b < 0x20 && *b != b'\t') || *b == 0x7f;
    let any = text.iter().fold(false, |any, b| any | is_control(b));
    if any { text.iter().position(is_control) } else { None }
}

#[cfg(test)]
mod tests;
