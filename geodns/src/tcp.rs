//! Queries over TCP, for answers that do not fit and for those who want to be sure who answers.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use dns::answer::{MAX_TCP, Transport};
use dns::packet::{Frame, MAX_QUERY, frame};
use runtime::Stage;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::seats::Seats;
use crate::service::Service;

/// Connections at once at most; those beyond wait in the kernel.
const MOST: usize = 1_000;
/// No connection lives longer than that: resolvers come again.
const LIFE: Duration = Duration::from_secs(120);
/// A connection on which nothing whole comes or goes for so long is closed (RFC 7766 asks for some seconds).
const PATIENCE: Duration = Duration::from_secs(10);
/// After an error of the listener, as when there are too many files open.
const PAUSE: Duration = Duration::from_millis(50);

/// Serves a listener until the process is closed.
///
/// # Errors
/// When the listener cannot be handed to the runtime.
pub async fn serve(service: Arc<Service>, listener: std::net::TcpListener) -> io::Result<()> {
    listener.set_nonblocking(true)?;
    let listener = TcpListener::from_std(listener)?;
    let places = Arc::new(Semaphore::new(MOST));
    let seats = Seats::default();
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return Ok(()) };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = service.drain.reached(Stage::Closed) => return Ok(()),
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::debug!(%error, "accept");
                tokio::time::sleep(PAUSE).await;
                continue;
            }
        };
        let Some(seat) = seats.take(peer.ip()) else {
            service.metrics.crowded();
            continue;
        };
        let service = Arc::clone(&service);
        tokio::spawn(async move {
            service.metrics.connections.inc();
            tokio::select! {
                // How it ended is of no use to anybody.
                _ = timeout(LIFE, converse(&service, stream, peer)) => {}
                () = service.drain.reached(Stage::Closed) => {}
            }
            service.metrics.connections.dec();
            drop((place, seat));
        });
    }
}

/// Answers one query after the other, however they are cut.
async fn converse(service: &Service, mut stream: TcpStream, peer: SocketAddr) -> io::Result<()> {
    let _ = stream.set_nodelay(true);
    let mut buffer = vec![0; 2 + MAX_QUERY];
    let mut out = vec![0; 2 + MAX_TCP];
    let mut filled = 0;
    loop {
        let used = match frame(&buffer[..filled]) {
            Frame::Bad => return Ok(()),
            Frame::Whole(query, used) => {
                let length = {
                    let (serving, places) = (service.serving.load(), service.places.load());
                    let (ip, way) = (peer.ip(), Transport::Tcp);
                    let room = &mut out[2..];
                    let answered =
                        service.answer(&serving, places.as_deref(), query, ip, way, room);
                    serving.sent(&answered);
                    answered.length
                };
                // Who sends what has no answer is not one to talk to.
                let Some(head) = u16::try_from(length).ok().filter(|length| *length > 0) else {
                    return Ok(());
                };
                out[..2].copy_from_slice(&head.to_be_bytes());
                timeout(PATIENCE, stream.write_all(&out[..2 + length])).await??;
                used
            }
            Frame::Part(_) => {
                // A query that drips does not hold a place for longer than one that does not come.
                let more = async {
                    while matches!(frame(&buffer[..filled]), Frame::Part(_)) {
                        match stream.read(&mut buffer[filled..]).await? {
                            0 => return Ok(false),
                            read => filled += read,
                        }
                    }
                    io::Result::Ok(true)
                };
                if !timeout(PATIENCE, more).await?? {
                    return Ok(());
                }
                continue;
            }
        };
        buffer.copy_within(used..filled, 0);
        filled -= used;
    }
}
