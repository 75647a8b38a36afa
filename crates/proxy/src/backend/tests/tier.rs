//! A tier for tests: a socket that answers as it is told and writes down what it is told.

use std::sync::Arc;

use parking_lot::Mutex;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// Listens until it is dropped.
pub(super) struct Tier {
    pub(super) url: String,
    asked: Arc<Mutex<Vec<String>>>,
    task: tokio::task::JoinHandle<()>,
}

impl Tier {
    /// Answers with `status`; breaks the connection instead for 0, says nothing at all for 1.
    pub(super) async fn start(status: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::<Mutex<Vec<String>>>::default();
        let log = asked.clone();
        let task = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                connections.spawn(connection(stream, status, log.clone()));
            }
        });
        Self { url, asked, task }
    }

    /// Closes the port and every connection.
    pub(super) async fn stop(&mut self) {
        self.task.abort();
        let _ = (&mut self.task).await;
    }

    /// The requests since the last look, as they came.
    pub(super) fn asked(&self) -> Vec<String> {
        std::mem::take(&mut *self.asked.lock())
    }

    /// The only one.
    #[track_caller]
    pub(super) fn one(&self) -> String {
        let mut asked = self.asked();
        assert_eq!(asked.len(), 1, "{asked:#?}");
        asked.remove(0)
    }
}

impl Drop for Tier {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn connection(mut stream: TcpStream, status: u16, log: Arc<Mutex<Vec<String>>>) {
    let mut text = String::new();
    let mut piece = [0; 4096];
    loop {
        let head = text.split_once("\r\n\r\n");
        let complete = head.is_some_and(|(head, body)| match head.contains("content-length: 4") {
            true => body.len() >= 4,
            false => !head.contains("transfer-encoding") || body.ends_with("0\r\n\r\n"),
        });
        if complete {
            log.lock().push(std::mem::take(&mut text));
            match status {
                0 => return,
                1 => std::future::pending().await,
                _ => {}
            }
            let answer = format!("HTTP/1.1 {status} Said\r\ncontent-length: 2\r\n\r\nok");
            if stream.write_all(answer.as_bytes()).await.is_err() {
                return;
            }
        }
        match stream.read(&mut piece).await {
            Ok(0) | Err(_) => return,
            Ok(read) => text.push_str(&String::from_utf8_lossy(&piece[..read])),
        }
    }
}
