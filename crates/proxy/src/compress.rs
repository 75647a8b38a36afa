//! Compression at delivery (E13): made once for each object and coding, kept beside it, read while it is made.

use std::io::{self, Write};
use std::sync::Arc;

use cache::{Derived, Object, Progress};
use http::header::{self, HeaderValue};
use http::{HeaderMap, Method, StatusCode};
use semantics::{Coding, Negotiated, compressible, negotiate};
use wire::snapshot::Compression;

use crate::config::Node;
use crate::intake::Received;
use crate::site::Site;

/// Which coding this client gets; where the answer depends on that, `Vary` says so.
//= rfc9110#12.5.5
pub(crate) fn vary(
    received: &Received,
    status: StatusCode,
    headers: &mut HeaderMap,
    length: Option<u64>,
) -> Coding {
    let Some((rules, offered)) = &received.site.compression else { return Coding::Identity };
    if compressible(status, &Method::GET, headers, rules, length).is_err() {
        return Coding::Identity;
    }
    let varies = headers.get_all(header::VARY).iter().any(|line| {
        line.as_bytes()
            .split(|b| *b == b',')
            .any(|name| name.trim_ascii().eq_ignore_ascii_case(b"accept-encoding"))
    });
    if !varies {
        headers.append(header::VARY, HeaderValue::from_static("Accept-Encoding"));
    }
    //= rfc9111#5.2.1.6
    if received.directives.no_transform {
        return Coding::Identity;
    }
    match negotiate(&received.head.headers, *offered) {
        Negotiated::Coding(coding) => coding,
        Negotiated::NotAcceptable => Coding::Identity,
    }
}

/// The body of `object` in `coding`; starts making it if nobody has.
pub(crate) fn transformed(
    node: &Arc<Node>,
    site: &Arc<Site>,
    object: &Arc<Object>,
    coding: Coding,
) -> Arc<cache::Body> {
    let (body, mut writer) = match object.derived(coding) {
        Derived::Ready(body) => return body,
        Derived::Make(body, writer) => (body, writer),
    };
    node.metrics.compressed.with_label_values(&[coding.as_str()]).inc();
    let levels = site.spec.compression.clone().unwrap_or_default();
    // Made here and now, so that a body in flight is read from its first byte.
    let mut reader = object.body().reader(None);
    let source = object.body().clone();
    tokio::spawn(async move {
        let mut encoder = match Encoder::new(coding, &levels) {
            Ok(encoder) => encoder,
            Err(error) => {
                tracing::error!(%error, coding = coding.as_str(), "no encoder");
                return;
            }
        };
        while let Some(chunk) = reader.chunk().await {
            let Ok(chunk) = chunk else { return };
            // A reader of a body that still comes in must not wait for what the encoder holds back.
            let flush = source.complete_len().is_none();
            // Pieces, so that other requests of this worker are not held up for long.
            for piece in chunk.chunks(PIECE) {
                let Ok(out) = encoder.encode(piece, flush) else { return };
                if !out.is_empty() && writer.append(&out).await == Progress::Abandoned {
                    return;
                }
                tokio::task::yield_now().await;
            }
        }
        if let Ok(out) = encoder.finish()
            && writer.append(&out).await != Progress::Abandoned
        {
            writer.finish();
        }
    });
    body
}

const PIECE: usize = 16 << 10;

enum Encoder {
    Br(Box<brotli::CompressorWriter<Vec<u8>>>),
    Zstd(zstd::stream::write::Encoder<'static, Vec<u8>>),
    Gzip(flate2::write::GzEncoder<Vec<u8>>),
}

impl Encoder {
    fn new(coding: Coding, levels: &Compression) -> io::Result<Self> {
        Ok(match coding {
            Coding::Br => {
                let quality = levels.br.unwrap_or(5).into();
                Self::Br(Box::new(brotli::CompressorWriter::new(Vec::new(), 4096, quality, 22)))
            }
            Coding::Zstd => {
                let level = levels.zstd.unwrap_or(3).into();
                Self::Zstd(zstd::stream::write::Encoder::new(Vec::new(), level)?)
            }
            Coding::Gzip => {
                let level = flate2::Compression::new(levels.gzip.unwrap_or(6).into());
                Self::Gzip(flate2::write::GzEncoder::new(Vec::new(), level))
            }
            Coding::Identity => return Err(io::ErrorKind::Unsupported.into()),
        })
    }

    /// Takes `data` in and gives what comes out; all of it if `flush`.
    fn encode(&mut self, data: &[u8], flush: bool) -> io::Result<Vec<u8>> {
        fn through<W: Write>(encoder: &mut W, data: &[u8], flush: bool) -> io::Result<()> {
            encoder.write_all(data)?;
            if flush { encoder.flush() } else { Ok(()) }
        }
        Ok(std::mem::take(match self {
            Self::Br(encoder) => {
                through(encoder, data, flush)?;
                encoder.get_mut()
            }
            Self::Zstd(encoder) => {
                through(encoder, data, flush)?;
                encoder.get_mut()
            }
            Self::Gzip(encoder) => {
                through(encoder, data, flush)?;
                encoder.get_mut()
            }
        }))
    }

    fn finish(self) -> io::Result<Vec<u8>> {
        match self {
            Self::Br(encoder) => Ok(encoder.into_inner()),
            Self::Zstd(encoder) => encoder.finish(),
            Self::Gzip(encoder) => encoder.finish(),
        }
    }
}

#[cfg(test)]
mod tests;
