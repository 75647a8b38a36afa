use http_body_util::BodyExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;

fn upstream(urls: &[String], first_byte_ms: u64) -> Upstream {
    let origins: Vec<_> = urls.iter().map(Origin::at).collect();
    let timeouts =
        Timeouts { connect_ms: 500, first_byte_ms, between_bytes_ms: 150, ..Timeouts::default() };
    Upstream::new(&origins, &timeouts).unwrap()
}

fn get(path: &str) -> Parts {
    Request::get(path).header("host", "www.example.com").body(()).unwrap().into_parts().0
}

/// An origin that answers every connection with `answers` in turn, as bytes, then closes it.
async fn origin(answers: Vec<&'static [u8]>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        for answer in answers {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut seen = vec![0; 4096];
            let n = stream.read(&mut seen).await.unwrap();
            let text = String::from_utf8_lossy(&seen[..n]).to_lowercase();
            assert!(text.contains("host: www.example.com\r\n"), "{text}");
            stream.write_all(answer).await.unwrap();
        }
        std::future::pending::<()>().await;
    });
    url
}

#[tokio::test]
async fn a_response_comes_through_with_its_body() {
    let url = origin(vec![b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello"]).await;
    let response = upstream(&[url], 1000).fetch(get("/a?b"), empty_body()).await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), "hello");
}

#[tokio::test]
async fn a_refused_connection_goes_on_to_the_next_origin() {
    let dead = {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        format!("http://{}", listener.local_addr().unwrap())
    };
    let alive = origin(vec![b"HTTP/1.1 204 No Content\r\n\r\n"]).await;
    let both = upstream(&[dead.clone(), alive], 1000);
    assert_eq!(both.fetch(get("/"), empty_body()).await.unwrap().status(), 204);

    let error = upstream(&[dead], 1000).fetch(get("/"), empty_body()).await.unwrap_err();
    assert_eq!((error.as_str(), error.status().as_u16()), ("connect-failed", 502));
}

#[tokio::test]
async fn a_broken_exchange_is_repeated_once_for_safe_methods_only() {
    let url = origin(vec![b"", b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"]).await;
    let response = upstream(&[url], 1000).fetch(get("/"), empty_body()).await.unwrap();
    assert_eq!(response.status(), 200);

    let url = origin(vec![b"", b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"]).await;
    let mut post = get("/");
    post.method = Method::POST;
    let error = upstream(&[url], 1000).fetch(post, empty_body()).await.unwrap_err();
    assert_eq!(error.as_str(), "exchange-failed");
}

#[tokio::test]
async fn silence_ends_in_time() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let error = upstream(&[url], 50).fetch(get("/"), empty_body()).await.unwrap_err();
    assert_eq!((error.as_str(), error.status().as_u16()), ("first-byte-timeout", 504));
}

#[tokio::test]
async fn a_stalled_body_ends_in_time() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = [0; 1024];
        assert!(stream.read(&mut request).await.unwrap() > 0);
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf").await.unwrap();
        std::future::pending::<()>().await;
    });
    let response = upstream(&[url], 1000).fetch(get("/"), empty_body()).await.unwrap();
    let error = response.into_body().collect().await.unwrap_err();
    assert_eq!(error, FetchError::BetweenBytesTimeout);
}
