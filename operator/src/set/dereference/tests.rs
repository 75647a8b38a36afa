use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};

use serde_json::json;

use super::*;
use crate::fake::{Log, refusal, server};

fn settings() -> Settings {
    Settings {
        edge_image: "e".into(),
        shield_image: "s".into(),
        pull_policy: None,
        pull_secrets: vec![],
        log_secret: Some("log".into()),
        log_ca: true,
        log_prefix: "p".into(),
        admin_secret: Some("admin".into()),
        drain_notice: 5,
        monitors: false,
    }
}

/// An API server with the Secret `admin`, and `log` with the keys of `keys`, unless it is down.
fn secrets(keys: &'static [&'static str], code: Arc<AtomicU16>) -> (Client, Log) {
    server(move |asked| match (code.load(Ordering::Relaxed), asked.path.rsplit('/').next()) {
        (200, Some("admin")) => {
            (200, json!({ "metadata": { "name": "admin" }, "data": { "token": "eA==" } }))
        }
        (200, Some("log")) => {
            let data: serde_json::Map<_, _> =
                keys.iter().map(|key| ((*key).to_owned(), json!("eA=="))).collect();
            (200, json!({ "metadata": { "name": "log" }, "data": data }))
        }
        (code, _) => refusal(code, "no"),
    })
}

async fn ask(
    secrets: &mut Secrets,
    client: &Client,
    seconds: u64,
) -> Result<Option<String>, DereferenceError> {
    let namespaces = ["cdn".to_owned()].into();
    let now = Duration::from_secs(seconds);
    secrets.dereference(client, &namespaces, &settings(), now).await?;
    Ok(secrets.missing().remove("cdn"))
}

#[tokio::test]
async fn what_is_there_is_believed_for_a_while() {
    let code = Arc::new(AtomicU16::new(200));
    let (client, log) = secrets(&["url", "ca.crt"], code);
    let mut known = Secrets::default();
    assert_eq!(ask(&mut known, &client, 0).await.unwrap(), None);
    let asked =
        ["GET /api/v1/namespaces/cdn/secrets/log", "GET /api/v1/namespaces/cdn/secrets/admin"];
    assert_eq!(log.lines(), asked);
    ask(&mut known, &client, 299).await.unwrap();
    assert_eq!(log.lines(), Vec::<String>::new());
    ask(&mut known, &client, 300).await.unwrap();
    assert_eq!(log.lines(), asked);
}

#[tokio::test]
async fn what_is_missing_is_named_and_asked_for_again_soon() {
    let code = Arc::new(AtomicU16::new(404));
    let (client, _log) = secrets(&["url"], code.clone());
    let mut known = Secrets::default();
    let told = ask(&mut known, &client, 0).await.unwrap().unwrap();
    assert_eq!(
        told,
        "the Secret `log` is missing in namespace `cdn`: its pods need `url` and `ca.crt` of it; \
         the Secret `admin` is missing in namespace `cdn`: its pods need `token` of it"
    );
    code.store(200, Ordering::Relaxed);
    assert_eq!(ask(&mut known, &client, 1).await.unwrap(), Some(told));
    let told = ask(&mut known, &client, 3).await.unwrap().unwrap();
    assert_eq!(told, "the Secret `log` in namespace `cdn` has no key `ca.crt`: add it");
}

#[tokio::test]
async fn an_api_server_that_does_not_tell_refuses_nobody() {
    let code = Arc::new(AtomicU16::new(403));
    let (client, _log) = secrets(&["url"], code);
    let mut known = Secrets::default();
    let error = ask(&mut known, &client, 0).await.unwrap_err().to_string();
    assert!(error.starts_with("the Secret cdn/log cannot be asked for"), "{error}");
    assert!(known.missing().is_empty());
}
