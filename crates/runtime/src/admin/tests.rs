use axum::body::Body;
use tower::ServiceExt;

use super::*;

async fn status(admin: &Admin, path: &str, bearer: Option<&str>) -> StatusCode {
    let router = admin.clone().router(Router::new().route("/debug", get(|| async { "secret" })));
    let mut request = Request::get(path);
    if let Some(bearer) = bearer {
        request = request.header(header::AUTHORIZATION, format!("Bearer {bearer}"));
    }
    router.oneshot(request.body(Body::empty()).unwrap()).await.unwrap().status()
}

#[tokio::test]
async fn the_open_part_is_open_and_the_rest_wants_the_token() {
    let admin = Admin {
        metrics: Metrics::default().into(),
        drain: Drain::new(),
        token: Token::new("t0ken"),
    };
    assert_eq!(status(&admin, "/healthz", None).await, StatusCode::OK);
    assert_eq!(status(&admin, "/metrics", None).await, StatusCode::OK);
    assert_eq!(status(&admin, "/debug", None).await, StatusCode::UNAUTHORIZED);
    assert_eq!(status(&admin, "/debug", Some("wrong")).await, StatusCode::UNAUTHORIZED);
    assert_eq!(status(&admin, "/debug", Some("t0ken")).await, StatusCode::OK);
}

#[tokio::test]
async fn without_a_token_the_guarded_part_is_closed() {
    let admin = Admin { metrics: Metrics::default().into(), drain: Drain::new(), token: None };
    assert_eq!(status(&admin, "/debug", Some("")).await, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_draining_process_is_not_ready() {
    let admin = Admin { metrics: Metrics::default().into(), drain: Drain::new(), token: None };
    assert_eq!(status(&admin, "/readyz", None).await, StatusCode::OK);
    admin.drain.advance(Stage::Draining);
    assert_eq!(status(&admin, "/readyz", None).await, StatusCode::SERVICE_UNAVAILABLE);
}
