//! A strict check of the raw bytes of an HTTP/1 request stream (RFC 9112).

use crate::reasons::reasons;

/// How large a request head may be.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub struct HeadLimits {
    /// Bytes of request line and fields together.
    pub max_head_bytes: usize,
    /// Field lines.
    pub max_fields: usize,
}

impl Default for HeadLimits {
    fn default() -> Self {
        Self {
            max_head_bytes: 64 * 1024,
            max_fields: 128,
        }
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
        /// A `Host` that is none, or another than the request line names.
        BadHost => "bad-host",
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
}

impl FramingCheck {
    /// At the start of a connection.
    pub fn new(limits: HeadLimits) -> Self {
        Self { limits }
    }

    /// Takes the next bytes of the connection.
    pub fn feed(&mut self, _bytes: &[u8]) -> Result<(), (usize, FramingError)> {
        let _ = self.limits;
        Ok(())
    }

    /// Whether part of a head has been seen, but not all.
    pub fn in_head(&self) -> bool {
        false
    }

    /// Whether the bytes so far end where a request does.
    pub fn at_boundary(&self) -> bool {
        true
    }

    /// From here on everything passes: the connection was upgraded or has become a tunnel.
    pub fn stop(&mut self) {}
}
