use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;
use crate::fake::{Asked, refusal, server};
use crate::names::LIFT;

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
    let command = parse(&["lift-bans", "--namespaces=a,b", "--patience=5"]).unwrap();
    let Some(Errand::LiftBans(asked)) = command.errand else { panic!("{command:?}") };
    assert_eq!((asked.namespaces.len(), asked.patience), (2, 5));
    let command = parse(&["check", "http://a/readyz", "--log-file=/url"]).unwrap();
    assert!(matches!(command.errand, Some(Errand::Check(_))), "{command:?}");
}

fn ban(finalizers: Value) -> Value {
    json!({
        "apiVersion": "meta.k8s.io/v1", "kind": "PartialObjectMetadata",
        "metadata": {
            "namespace": "cdn", "name": "one", "uid": "1", "resourceVersion": "5", "finalizers": finalizers,
        },
    })
}

/// The API server's answer, where bans are `items`.
fn list(items: Vec<Value>) -> (u16, Value) {
    let kind = "PartialObjectMetadataList";
    let metadata = json!({ "resourceVersion": "5" });
    (
        200,
        json!({ "kind": kind, "apiVersion": "meta.k8s.io/v1", "metadata": metadata, "items": items }),
    )
}

#[tokio::test(start_paused = true)]
async fn bans_are_deleted_and_waited_for() {
    let (client, log) = server(|asked: &Asked| match (asked.method.as_str(), &asked.query) {
        ("GET", query) if query.contains("fieldSelector") => list(Vec::new()),
        ("GET", _) => list(vec![ban(json!([LIFT]))]),
        _ => (200, json!({ "kind": "Status", "status": "Success" })),
    });
    let asked = LiftBans { namespaces: Vec::new(), patience: 60 };
    let done = lift(&client, &asked).await.unwrap();
    assert_eq!(done, Lifted { lifted: 1, released: 0 });
    let told = log.take();
    let delete = told.iter().find(|asked| asked.method == "DELETE").unwrap();
    assert_eq!(delete.path, "/apis/cdn.blueorigin.dev/v1alpha1/namespaces/cdn/banrules/one");
    assert_eq!(delete.body["preconditions"]["uid"], "1");
    assert!(told.iter().all(|asked| asked.method != "PATCH"));
}

#[tokio::test(start_paused = true)]
async fn what_nobody_lifts_is_let_go() {
    let (client, log) = server(|asked: &Asked| match (asked.method.as_str(), &asked.path) {
        ("GET", path) if path.ends_with("/one") => (200, ban(json!([LIFT, "another's"]))),
        ("GET", _) if asked.query.contains("watch") => refusal(500, "not now"),
        ("GET", _) if asked.query.contains("fieldSelector") => refusal(500, "not now"),
        ("GET", _) => list(vec![ban(json!([LIFT]))]),
        _ => (200, ban(json!([]))),
    });
    let asked = LiftBans { namespaces: vec!["cdn".to_owned()], patience: 3 };
    let done = lift(&client, &asked).await.unwrap();
    assert_eq!(done, Lifted { lifted: 0, released: 1 });
    let patch = log.find(|asked| asked.method == "PATCH").unwrap();
    assert_eq!(patch.body["metadata"], json!({ "uid": "1", "finalizers": ["another's"] }));
}

#[tokio::test]
async fn where_nobody_knows_of_bans_there_are_none() {
    let (client, _) = server(|_: &Asked| refusal(404, "no such resource"));
    let asked = LiftBans { namespaces: Vec::new(), patience: 60 };
    assert_eq!(lift(&client, &asked).await.unwrap(), Lifted::default());
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
        check.run().await.unwrap_err().to_string().contains("the log is not ready: cannot read")
    );
}
