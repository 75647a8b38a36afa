//! Request lines and field lines.

use super::{FramingError, LineError};
use crate::key::{is_plain, normalize_host};
use crate::lists::trim_ows;
use crate::sf::is_tchar;

/// What the lines of a head have said so far.
#[derive(Copy, Clone, Debug, Default)]
pub(super) struct Head {
    /// HTTP/1.0.
    old: bool,
    host: bool,
    length: Option<u64>,
    chunked: bool,
    pub(super) fields: usize,
}

/// What follows a head.
pub(super) enum Body {
    None,
    Length(u64),
    Chunked,
}

const IS_TCHAR: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 128 {
        table[byte] = is_tchar(byte as u8);
        byte += 1;
    }
    table
};

impl Head {
    /// `method SP target SP version`, with nothing more and nothing less.
    //= rfc9112#3
    pub(super) fn request_line(line: &[u8]) -> Result<Self, LineError> {
        let bad = |at: usize| (at, FramingError::BadRequestLine);
        let first = memchr::memchr(b' ', line).ok_or(bad(0))?;
        let method = &line[..first];
        if method.is_empty() || !method.iter().all(|b| IS_TCHAR[usize::from(*b)]) {
            return Err(bad(0));
        }
        let rest = &line[first + 1..];
        let second = memchr::memchr(b' ', rest).ok_or(bad(first))?;
        let (target, version) = (&rest[..second], &rest[second + 1..]);
        if target.is_empty() || memchr::memchr(b'\t', target).is_some() {
            return Err(bad(first + 1));
        }
        //= rfc9112#2.3
        match version {
            b"HTTP/1.1" => Ok(Self::default()),
            b"HTTP/1.0" => Ok(Self { old: true, ..Self::default() }),
            _ if memchr::memchr2(b' ', b'\t', version).is_some() => Err(bad(first + second + 2)),
            _ => Err((first + second + 2, FramingError::BadVersion)),
        }
    }

    pub(super) fn field(&mut self, line: &[u8], max_fields: usize) -> Result<(), LineError> {
        let colon = self.name(line, max_fields)?;
        let (name, value) = (&line[..colon], &line[colon + 1..]);
        let result = match (name.len(), name[0] | 0x20) {
            (4, b'h') if name.eq_ignore_ascii_case(b"host") => self.host(trim_ows(value)),
            (14, b'c') if name.eq_ignore_ascii_case(b"content-length") => {
                self.content_length(trim_ows(value))
            }
            (17, b't') if name.eq_ignore_ascii_case(b"transfer-encoding") => {
                self.transfer_encoding(trim_ows(value))
            }
            _ => return Ok(()),
        };
        result.map_err(|error| (colon + 1, error))
    }

    /// A trailer's name has to be one, and may not be one that says how the message is framed.
    pub(super) fn trailer(&mut self, line: &[u8], max_fields: usize) -> Result<(), LineError> {
        let colon = self.name(line, max_fields)?;
        let framing = ["host", "content-length", "transfer-encoding"];
        if framing.iter().any(|name| line[..colon].eq_ignore_ascii_case(name.as_bytes())) {
            return Err((0, FramingError::BadFieldName));
        }
        Ok(())
    }

    /// Checks and counts a field's name; says where the colon is.
    //= rfc9112#5.1
    //= rfc9112#5.2
    fn name(&mut self, line: &[u8], max_fields: usize) -> Result<usize, LineError> {
        if matches!(line[0], b' ' | b'\t') {
            return Err((0, FramingError::ObsFold));
        }
        let end = line.iter().position(|b| !IS_TCHAR[usize::from(*b)]).unwrap_or(line.len());
        match line.get(end) {
            Some(b':') if end > 0 => {}
            Some(b' ' | b'\t') if end > 0 => {
                return Err((end, FramingError::SpaceBeforeColon));
            }
            _ => return Err((end.min(line.len() - 1), FramingError::BadFieldName)),
        }
        self.fields += 1;
        if self.fields > max_fields {
            return Err((0, FramingError::TooManyFields));
        }
        Ok(end)
    }

    //= rfc9112#3.2
    fn host(&mut self, value: &[u8]) -> Result<(), FramingError> {
        if self.host {
            return Err(FramingError::DuplicateHost);
        }
        self.host = true;
        if is_plain(value) {
            return Ok(());
        }
        let valid =
            std::str::from_utf8(value).is_ok_and(|host| normalize_host(host, "http").is_ok());
        if valid { Ok(()) } else { Err(FramingError::BadHost) }
    }

    //= rfc9112#6.2
    fn content_length(&mut self, value: &[u8]) -> Result<(), FramingError> {
        if self.length.is_some() || memchr::memchr(b',', value).is_some() {
            return Err(FramingError::DuplicateContentLength);
        }
        if self.chunked {
            return Err(FramingError::BothLengthAndTransferEncoding);
        }
        // Eighteen digits are more than any body and less than any overflow.
        if !(1..=18).contains(&value.len()) || !value.iter().all(u8::is_ascii_digit) {
            return Err(FramingError::BadContentLength);
        }
        self.length = Some(value.iter().fold(0, |sum, digit| sum * 10 + u64::from(digit - b'0')));
        Ok(())
    }

    //= rfc9112#6.1
    fn transfer_encoding(&mut self, value: &[u8]) -> Result<(), FramingError> {
        if self.length.is_some() {
            return Err(FramingError::BothLengthAndTransferEncoding);
        }
        if self.old || self.chunked || !value.eq_ignore_ascii_case(b"chunked") {
            return Err(FramingError::BadTransferEncoding);
        }
        self.chunked = true;
        Ok(())
    }

    /// At the end of the head: what follows.
    //= rfc9112#6.3
    pub(super) fn finish(&self) -> Result<Body, FramingError> {
        //= rfc9112#3.2
        if !self.host && !self.old {
            return Err(FramingError::MissingHost);
        }
        Ok(match (self.chunked, self.length) {
            (true, _) => Body::Chunked,
            (false, Some(length)) => Body::Length(length),
            (false, None) => Body::None,
        })
    }
}
