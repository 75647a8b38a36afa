//! The HTTP router: sends clients on to the PoP that suits them best, where DNS could not tell.
//!
//! It reads heads and answers with heads; bodies it leaves unread and closes.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{
    HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, header,
};
use dns::redirect::{Asked, Redirect, Refusal, RefusalReason, redirect};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use runtime::Stage;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};

use crate::seats::Seats;
use crate::service::Service;

/// Connections at once at most; those beyond wait in the kernel.
const MOST: usize = 4_000;
/// Bytes of a head at most.
const HEAD: usize = 16 << 10;
/// Fields of a head at most.
const FIELDS: usize = 100;
/// A head that takes longer ends its connection, and so does none.
const PATIENCE: Duration = Duration::from_secs(10);
/// No connection lives longer than that; who comes for one answer is done by then.
const LIFE: Duration = Duration::from_secs(60);
/// What is left to a connection that has to end.
const GRACE: Duration = Duration::from_secs(2);
/// After an error of the listener, as when there are too many files open.
const PAUSE: Duration = Duration::from_millis(50);

const CDN_LOOP: HeaderName = HeaderName::from_static("cdn-loop");
const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

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
        match accepted {
            Ok((stream, peer)) => {
                let Some(seat) = seats.take(peer.ip()) else {
                    service.metrics.crowded();
                    continue;
                };
                let service = Arc::clone(&service);
                tokio::spawn(async move {
                    converse(service, stream, peer).await;
                    drop((place, seat));
                });
            }
            Err(error) => {
                tracing::debug!(%error, "accept");
                sleep(PAUSE).await;
            }
        }
    }
}

async fn converse(service: Arc<Service>, stream: TcpStream, peer: SocketAddr) {
    let _ = stream.set_nodelay(true);
    let drain = service.drain.clone();
    let handler = service_fn(move |request: Request<Incoming>| {
        let response = answer(&service, &request, peer);
        async move { Ok::<_, Infallible>(response) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(PATIENCE)
        .max_buf_size(HEAD)
        .max_headers(FIELDS)
        .serve_connection(TokioIo::new(stream), handler);
    let mut connection = pin!(connection);
    // How it ended is of no use to anybody.
    tokio::select! {
        _ = connection.as_mut() => return,
        () = sleep(LIFE) => {}
        () = drain.reached(Stage::Closed) => {}
    }
    connection.as_mut().graceful_shutdown();
    let _ = timeout(GRACE, connection).await;
}

fn answer(service: &Service, request: &Request<Incoming>, peer: SocketAddr) -> Response<Body> {
    let (serving, places) = (service.serving.load(), service.places.load());
    let found = match host_and_path(request) {
        Ok((host, path)) => {
            let headers = request.headers();
            let asked = Asked {
                host,
                path,
                x_forwarded_for: &lines(headers, &X_FORWARDED_FOR),
                forwarded: &lines(headers, &header::FORWARDED),
                cookies: &lines(headers, &header::COOKIE),
                cdn_loop: &lines(headers, &CDN_LOOP),
            };
            redirect(&asked, peer.ip(), &serving.view, places.as_deref())
        }
        Err(reason) => Err(Refusal { reason, pool: None, retry_after: None }),
    };
    let pools = serving.view.fleet().pools();
    let mut response = match found {
        Ok(sent) => {
            let pool = pools.get(sent.pool);
            let pop = pool.and_then(|pool| pool.side(sent.family).targets.get(sent.target));
            let name = pop.map_or("", |pop| pop.name.as_str());
            service.metrics.redirected(pool.map_or("", |pool| &pool.name), name, sent.reason);
            sent_on(&sent, request.method())
        }
        Err(refusal) => {
            let pool = refusal.pool.and_then(|nth| pools.get(nth));
            service.metrics.sent_nowhere(pool.map_or("", |pool| &pool.name), refusal.reason);
            refused(&refusal)
        }
    };
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// The host and the path that are asked for. What an absolute form says counts, whatever `Host` says.
//= rfc9112#3.2
fn host_and_path(request: &Request<Incoming>) -> Result<(&str, &str), RefusalReason> {
    let mut hosts = request.headers().get_all(header::HOST).iter();
    let host = hosts.next().and_then(|host| host.to_str().ok()).unwrap_or_default();
    if hosts.next().is_some() {
        return Err(RefusalReason::BadHost);
    }
    let uri = request.uri();
    if *request.method() == Method::CONNECT {
        return Err(RefusalReason::BadTarget);
    }
    let host = match (uri.scheme_str(), uri.authority()) {
        (None, None) => host,
        (Some("http" | "https"), Some(authority)) => authority.as_str(),
        _ => return Err(RefusalReason::BadTarget),
    };
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    Ok((host, path))
}

fn lines<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Vec<&'a [u8]> {
    headers.get_all(name).iter().map(HeaderValue::as_bytes).collect()
}

/// To be asked for with the same method if that means more than reading.
//= rfc9110#15.4.3
fn sent_on(sent: &Redirect, method: &Method) -> Response<Body> {
    let reads = matches!(*method, Method::GET | Method::HEAD);
    let mut response = Response::new(Body::empty());
    let Ok(location) = HeaderValue::from_str(&sent.location) else {
        let (reason, retry_after) = (RefusalReason::BadTarget, None);
        return refused(&Refusal { reason, pool: Some(sent.pool), retry_after });
    };
    *response.status_mut() = if reads { StatusCode::FOUND } else { StatusCode::TEMPORARY_REDIRECT };
    response.headers_mut().insert(header::LOCATION, location);
    response
}

fn refused(refusal: &Refusal) -> Response<Body> {
    let (reason, status) = (refusal.reason, refusal.reason.status());
    let text = format!("{status} {}: {}\n", reason.as_str(), reason.text());
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    if let Some(seconds) = refusal.retry_after {
        headers.insert(header::RETRY_AFTER, seconds.into());
    }
    response
}

#[cfg(test)]
mod tests;
