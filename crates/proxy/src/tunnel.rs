//! Upgraded connections (RFC 9110 §7.8): bytes both ways, nothing looked at, nothing stored.

use std::sync::Arc;

use http::header::{self, HeaderValue};
use http::request::Parts;
use http::{Response, StatusCode};
use hyper_util::rt::TokioIo;
use semantics::{PassReason, asked_upgrade};

use crate::body::Body;
use crate::config::Node;
use crate::deliver::Answer;
use crate::intake::Received;
use crate::outcome::Outcome;
use crate::serve::Connection;

/// Asks upstream for the upgrade that the client asks for.
pub(crate) fn ask(received: &Received, head: &mut Parts) {
    if let Some(protocols) = asked_upgrade(received.head.version, &received.head.headers) {
        head.headers.insert(header::UPGRADE, protocols);
        head.headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
    }
}

/// Upstream agreed: joins the two connections once the client has the answer.
//= rfc9110#7.8
pub(crate) fn open(
    node: &Arc<Node>,
    mut received: Received,
    mut response: Response<upstream::Body>,
    connection: &Arc<Connection>,
) -> Answer {
    connection.becomes_tunnel();
    let above = hyper::upgrade::on(&mut response);
    let below = received.head.extensions.remove::<hyper::upgrade::OnUpgrade>();
    let (node_name, connection) = (node.name.clone(), connection.clone());
    tokio::spawn(async move {
        let Some(below) = below else { return };
        let (below, above) = match tokio::try_join!(below, above) {
            Ok(pair) => pair,
            Err(error) => {
                tracing::debug!(node = node_name, %error, "tunnel did not open");
                return;
            }
        };
        let (mut below, mut above) = (TokioIo::new(below), TokioIo::new(above));
        tokio::select! {
            copied = tokio::io::copy_bidirectional(&mut below, &mut above) => {
                if let Err(error) = copied {
                    tracing::debug!(node = node_name, %error, "tunnel broke");
                }
            }
            () = connection.killed() => {}
        }
    });
    let protocol = response.headers().get(header::UPGRADE).cloned();
    let (mut parts, _) = response.into_parts();
    semantics::strip_hop_by_hop(&mut parts.headers);
    crate::deliver::remove_border(&mut parts.headers);
    let mut answer = Response::new(Body::empty());
    *answer.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    *answer.headers_mut() = parts.headers;
    answer.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
    if let Some(protocol) = protocol {
        answer.headers_mut().insert(header::UPGRADE, protocol);
    }
    Answer { response: answer, outcome: Outcome::Pass(PassReason::Upgrade) }
}
