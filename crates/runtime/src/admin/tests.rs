use axum::body::{Body, to_bytes};
use tower::ServiceExt;

use super::*;
use crate::token::Token;

fn admin(token: Option<&str>) -> Admin {
    Admin {
        metrics: Metrics::default().into(),
        ready: Readiness::default(),
        drain: Drain::new(),
        token: token.and_then(Token::new).map(Tokens::from),
    }
}

async fn ask(admin: &Admin, method: &str, path: &str, bearer: Option<&str>) -> (u16, String) {
    let open = Router::new().route("/page", get(|| async { "page" }));
    let guarded = Router::new()
        .route("/debug", get(|| async { "secret" }))
        .fallback(|request: Request| async move { format!("rest {}", request.uri()) });
    let mut request = Request::builder().method(method).uri(path);
    if let Some(bearer) = bearer {
        request = request.header(header::AUTHORIZATION, format!("Bearer {bearer}"));
    }
    let router = admin.clone().router_beside(open, guarded);
    let answer = router.oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    let status = answer.status().as_u16();
    let body = to_bytes(answer.into_body(), 10_000).await.unwrap();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

async fn status(admin: &Admin, path: &str, bearer: Option<&str>) -> u16 {
    ask(admin, "GET", path, bearer).await.0
}

#[tokio::test]
async fn the_open_part_is_open_and_the_rest_wants_the_token() {
    let admin = admin(Some("t0ken"));
    for path in ["/healthz", "/readyz", "/metrics", "/page"] {
        assert_eq!(status(&admin, path, None).await, 200, "{path}");
        // Open to reading: every other method is for the guarded part, PURGE of a site's path too.
        assert_eq!(ask(&admin, "PURGE", path, None).await.0, 401, "{path}");
        let purged = ask(&admin, "PURGE", path, Some("t0ken")).await;
        assert_eq!(purged, (200, format!("rest {path}")));
    }
    for path in ["/debug", "/nothing"] {
        assert_eq!(status(&admin, path, None).await, 401, "{path}");
        assert_eq!(status(&admin, path, Some("wrong")).await, 401, "{path}");
    }
    assert_eq!(ask(&admin, "GET", "/debug", Some("t0ken")).await, (200, "secret".into()));
    assert_eq!(ask(&admin, "POST", "/debug", Some("t0ken")).await.0, 405);
    assert_eq!(ask(&admin, "GET", "/a?b", Some("t0ken")).await, (200, "rest /a?b".into()));
}

#[tokio::test]
async fn without_a_token_the_guarded_part_is_closed() {
    assert_eq!(status(&admin(None), "/debug", Some("")).await, 401);
}

#[tokio::test]
async fn a_new_token_counts_at_once() {
    let tokens = Tokens::from(Token::new("one").unwrap());
    let admin = Admin { token: Some(tokens.clone()), ..admin(None) };
    assert_eq!(status(&admin, "/debug", Some("one")).await, 200);
    tokens.replace(Token::new("two").unwrap());
    assert_eq!(status(&admin, "/debug", Some("one")).await, 401);
    assert_eq!(status(&admin, "/debug", Some("two")).await, 200);
}

#[tokio::test]
async fn a_process_is_ready_when_every_condition_is_fulfilled() {
    let admin = admin(None);
    assert_eq!(ask(&admin, "GET", "/readyz", None).await, (200, "ready\n".into()));
    let (log, disk) = (admin.ready.gate("log"), admin.ready.gate("disk"));
    log.close("catching up");
    let both = "not ready: log: catching up\nnot ready: disk: not yet\n";
    assert_eq!(ask(&admin, "GET", "/readyz", None).await, (503, both.into()));
    log.open();
    disk.open();
    assert_eq!(status(&admin, "/readyz", None).await, 200);
}

#[tokio::test]
async fn a_draining_process_is_not_ready() {
    let admin = admin(None);
    admin.drain.advance(Stage::Draining);
    assert_eq!(ask(&admin, "GET", "/readyz", None).await, (503, "draining\n".into()));
}
