//! A connection of an origin: requests in, scripts out.

use std::io;
use std::sync::Arc;

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncWrite};

use super::reply::{Ahead, Framing, Piece, Reply, pattern};
use super::{Asked, Shared};
use crate::http1::{Rest, Wire};

/// Bytes of a request body that are kept.
const KEPT: usize = 1 << 20;
/// Bytes of a pattern that are made at once.
const BLOCK: u64 = 256 << 10;

/// Answers requests on `stream` until it ends or a script breaks it.
pub(super) async fn connection<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    shared: &Arc<Shared>,
) -> io::Result<()> {
    let mut wire = Wire::new(stream);
    while let Some(head) = wire.head().await? {
        let mut parts = head.line.split(' ');
        let (method, target) = (parts.next().unwrap_or(""), parts.next().unwrap_or(""));
        let mut asked = Asked::new(method, target, "HTTP/1.1", head.fields);
        let mut rest = Rest::of(&asked.fields);
        let mut body = BytesMut::new();
        while let Some(piece) = wire.piece(&mut rest).await? {
            shared.uploaded.send_modify(|so_far| *so_far += piece.len() as u64);
            asked.body_length += piece.len() as u64;
            body.extend_from_slice(&piece[..piece.len().min(KEPT - body.len())]);
        }
        asked.body = body.freeze();
        let is_head = asked.method == "HEAD";
        let (reply, _active) = shared.answer(asked);
        if !play(&mut wire, &reply, is_head).await? {
            break;
        }
    }
    wire.finish().await
}

/// Plays `reply`; whether the connection may be used again.
async fn play<S: AsyncRead + AsyncWrite + Unpin>(
    wire: &mut Wire<S>,
    reply: &Reply,
    is_head: bool,
) -> io::Result<bool> {
    for ahead in &reply.ahead {
        match ahead {
            Ahead::Wait(gate) => gate.passed().await,
            Ahead::Interim(status, fields) => {
                let mut text = format!("HTTP/1.1 {status} Early\r\n");
                for (name, value) in &fields.0 {
                    text.push_str(&format!("{name}: {value}\r\n"));
                }
                wire.send((text + "\r\n").as_bytes()).await?;
            }
            Ahead::Break => return Ok(false),
        }
    }
    let bodyless = matches!(reply.status, 204 | 304);
    let mut text = format!("HTTP/1.1 {} Scripted\r\n", reply.status);
    for (name, value) in &reply.fields.0 {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    match reply.framing {
        _ if bodyless || reply.status == 101 || reply.fields.has("content-length") => {}
        Framing::Honest => text.push_str(&format!("content-length: {}\r\n", reply.length())),
        Framing::Length(length) => text.push_str(&format!("content-length: {length}\r\n")),
        Framing::Chunked => text.push_str("transfer-encoding: chunked\r\n"),
        Framing::UntilClose => {}
    }
    if reply.close {
        text.push_str("connection: close\r\n");
    }
    wire.send((text + "\r\n").as_bytes()).await?;
    if is_head || bodyless {
        return Ok(!reply.close);
    }
    Ok(body(wire, reply).await? && !reply.close)
}

/// Plays the body; whether it came to its end.
async fn body<S: AsyncRead + AsyncWrite + Unpin>(
    wire: &mut Wire<S>,
    reply: &Reply,
) -> io::Result<bool> {
    let chunked = reply.framing == Framing::Chunked;
    let mut at = 0;
    for piece in &reply.body {
        match piece {
            Piece::Data(data) => {
                at += data.len() as u64;
                send(wire, data, chunked).await?;
            }
            Piece::Pattern(length) => {
                let end = at + length;
                while at < end {
                    let block = usize::try_from(BLOCK.min(end - at)).map_err(io::Error::other)?;
                    send(wire, &pattern(at, block), chunked).await?;
                    at += block as u64;
                }
            }
            Piece::Wait(gate) => gate.passed().await,
            Piece::Cut => return Ok(false),
            Piece::Echo => loop {
                let data = wire.some().await?;
                if data.is_empty() {
                    return Ok(false);
                }
                wire.send(&data.to_ascii_uppercase()).await?;
            },
        }
    }
    if chunked {
        wire.send(b"0\r\n\r\n").await?;
    }
    Ok(true)
}

async fn send<S: AsyncRead + AsyncWrite + Unpin>(
    wire: &mut Wire<S>,
    data: &[u8],
    chunked: bool,
) -> io::Result<()> {
    if data.is_empty() {
        return Ok(());
    }
    if !chunked {
        return wire.send(data).await;
    }
    let mut framed = format!("{:x}\r\n", data.len()).into_bytes();
    framed.extend_from_slice(data);
    framed.extend_from_slice(b"\r\n");
    wire.send(&framed).await
}
