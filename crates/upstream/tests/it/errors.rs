//! What becomes of single requests when the other side behaves badly.

use std::sync::atomic::Ordering::SeqCst;

use http_body_util::BodyExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::server::Server;
use super::*;

const EMPTY: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";

/// An origin that answers connection after connection with `answers` in turn, as bytes: one for each
/// request on it, then it closes it. A last empty answer is a request that is read and not answered.
async fn scripted(connections: Vec<Vec<&'static [u8]>>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        for answers in connections {
            let (mut stream, _) = listener.accept().await.unwrap();
            for answer in answers {
                let mut seen = vec![0; 4096];
                let n = stream.read(&mut seen).await.unwrap();
                let text = String::from_utf8_lossy(&seen[..n]).to_lowercase();
                assert!(text.contains("host: www.example.com\r\n"), "{text}");
                stream.write_all(answer).await.unwrap();
            }
        }
        std::future::pending::<()>().await;
    });
    url
}

fn no_budget() -> Setup {
    Setup { retries: Retries { budget_percent: 0, ..Retries::default() }, ..Setup::default() }
}

#[tokio::test]
async fn a_response_comes_through_with_its_body() {
    let url = scripted(vec![vec![b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello"]]).await;
    assert_eq!(Setup::default().urls(&[&url]).told().await, (200, "hello".into()));
}

//= rfc9110#9.2.2
#[tokio::test]
async fn a_broken_exchange_is_repeated_for_safe_methods_only() {
    let url = scripted(vec![vec![b""], vec![EMPTY]]).await;
    assert_eq!(Setup::default().urls(&[&url]).told().await.0, 200);

    let url = scripted(vec![vec![b""], vec![EMPTY]]).await;
    let error = Setup::default().urls(&[&url]).post("body").await.unwrap_err();
    assert_eq!((error.as_str(), error.status().as_u16()), ("exchange-failed", 502));
}

#[tokio::test]
async fn what_is_not_http_is_not_asked_for_again() {
    let url = scripted(vec![vec![b"HTTP/1.1 99 Odd\r\n\r\n"], vec![EMPTY]]).await;
    let site = Setup::default().urls(&[&url]);
    assert_eq!(site.told().await, (502, "exchange-failed".into()));
    let counts = site.order[0].report().counts;
    assert_eq!((counts.sent, counts.failed), (1, 1));
}

#[tokio::test]
async fn a_kept_connection_that_was_closed_costs_no_budget() {
    // The second request goes over the first connection, which ends without an answer.
    let url = scripted(vec![vec![EMPTY, b""], vec![EMPTY]]).await;
    let site = no_budget().urls(&[&url]);
    assert_eq!(site.told().await.0, 200);
    assert_eq!(site.told().await.0, 200);
    assert_eq!(site.order[0].report().counts.failed, 0);

    // A new connection that ends like that is the server's failure.
    let url = scripted(vec![vec![b""], vec![EMPTY]]).await;
    let site = no_budget().urls(&[&url]);
    assert_eq!(site.told().await.1, "exchange-failed");
    assert_eq!(site.order[0].report().counts.failed, 1);
}

/// The server may be closing it at this moment, and nobody could tell whether it did what it was asked.
#[tokio::test]
async fn what_cannot_be_sent_again_takes_no_connection_that_was_idle_for_long() {
    let server = Server::start("one").await;
    let site = Setup::default().urls(&[&server.url]);
    let connections = || server.told.connections.load(SeqCst);
    let post = async || {
        let answer = site.post("body").await.unwrap();
        answer.response.into_body().collect().await.unwrap();
    };
    post().await;
    assert_eq!(site.told().await.0, 200);
    assert_eq!(connections(), 2, "they share none");
    tokio::time::sleep(ms(1500)).await;
    assert_eq!(site.told().await.0, 200);
    assert_eq!(connections(), 2, "what can be sent again takes the old one");
    post().await;
    assert_eq!(connections(), 3);
}

#[tokio::test]
async fn a_body_that_breaks_off_counts_against_the_server() {
    let half = b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf";
    let url = scripted(vec![vec![half]]).await;
    let site = Setup::default().urls(&[&url]);
    assert_eq!(site.told().await, (200, "body-cut".into()));
    let counts = site.order[0].report().counts;
    assert_eq!((counts.succeeded, counts.failed), (1, 1));
    assert_eq!(site.order[0].in_flight(), 0);
}

#[tokio::test]
async fn a_response_without_a_body_holds_no_place() {
    let url = scripted(vec![vec![b"HTTP/1.1 204 No Content\r\n\r\n"]]).await;
    let site = Setup::default().urls(&[&url]);
    let answer = site.get().await.unwrap();
    assert_eq!(site.order[0].in_flight(), 0);
    assert_eq!(answer.response.into_body().collect().await.unwrap().to_bytes(), "");
}

#[tokio::test]
async fn interim_responses_and_upgrades_come_through() {
    let interim = b"HTTP/1.1 103 Early Hints\r\nlink: </a.css>\r\n\r\n\
        HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\nhello";
    let url = scripted(vec![vec![interim]]).await;
    let site = Setup::default().urls(&[&url]);
    let mut request = head("GET", "/");
    request.headers.insert("connection", "upgrade".parse().unwrap());
    request.headers.insert("upgrade", "echo".parse().unwrap());
    let hints = Arc::new(parking_lot::Mutex::new(Vec::new()));
    let heard = hints.clone();
    let mut on_informational = http::Request::new(());
    hyper::ext::on_informational(&mut on_informational, move |response| {
        heard.lock().push(response.status().as_u16());
    });
    request.extensions = on_informational.into_parts().0.extensions;

    let mut answer = site.send(request, empty_body()).await.unwrap();
    assert_eq!(answer.response.status(), 101);
    assert_eq!(*hints.lock(), [103]);
    let upgraded = hyper::upgrade::on(&mut answer.response).await.unwrap();
    let mut upgraded = hyper_util::rt::TokioIo::new(upgraded);
    let mut text = [0; 5];
    upgraded.read_exact(&mut text).await.unwrap();
    assert_eq!(&text, b"hello");
}

#[tokio::test]
async fn without_an_origin_there_is_an_error() {
    assert_eq!(Setup::default().urls(&[]).told().await, (502, "connect-failed".into()));
}
