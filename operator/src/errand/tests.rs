use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;

fn parse(arguments: &[&str]) -> Result<Command, clap::Error> {
    Command::try_parse_from([&["operator"], arguments].concat())
}

#[test]
fn who_says_nothing_else_operates() {
    let operate = ["--edge-image=a", "--shield-image=b", "--drain-notice=1"];
    let command = parse(&operate).unwrap();
    assert!(command.errand.is_none());
    assert_eq!(command.options.unwrap().drain_notice, 1);
    assert!(parse(&["--edge-image=a"]).unwrap_err().to_string().contains("--shield-image"));
    assert!(parse(&[]).is_err());
}

#[test]
fn errands_need_no_images() {
    let command = parse(&["check", "http://a/readyz", "--log-file=/url"]).unwrap();
    assert!(matches!(command.errand, Some(Errand::Check(_))), "{command:?}");
}

/// A server that answers each connection with the next of `answers`; its address.
async fn answering(answers: &'static [&'static str]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        for answer in answers {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut asked = [0; 1024];
            let length = stream.read(&mut asked).await.unwrap();
            assert!(asked[..length].starts_with(b"GET /readyz HTTP/1.1\r\n"));
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    format!("http://{address}/readyz")
}

#[tokio::test]
async fn what_becomes_ready_is_waited_for() {
    let url =
        answering(&["HTTP/1.1 503 Service Unavailable\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\n"]).await;
    let check = Check { pages: vec![url], log_file: None, log_ca: None, patience: 60 };
    check.run().await.unwrap();
}

#[tokio::test]
async fn what_is_not_ready_is_said() {
    let url = answering(&["HTTP/1.1 503 Service Unavailable\r\n\r\n"]).await;
    let check = Check { pages: vec![url.clone()], log_file: None, log_ca: None, patience: 0 };
    let said = check.run().await.unwrap_err().to_string();
    assert_eq!(said, format!("{url} is not ready: it answers HTTP/1.1 503"));
    let folder = std::env::temp_dir().join("there-is-no-such-file");
    let check = Check { pages: Vec::new(), log_file: Some(folder), log_ca: None, patience: 0 };
    assert!(
        check
            .run()
            .await
            .unwrap_err()
            .to_string()
            .contains("the log is not ready: the URL of Redis cannot be read")
    );
}
