//! The invalidation API (I5): purges, bans, the log. It checks an order, hands it to the [`Desk`], and says what
//! became of it; what cannot be used is refused with field and reason before anybody hears of it.
//!
//! `docs/admin-api.md` lists the routes.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};
use serde_json::{Value, json};
use tower::ServiceExt;
use wire::invalidation::{How, Phase, PurgeReport, Target};

use self::order::Draft;
use self::refused::Refused;
use super::answer::{error, json_answer, not_found};

mod body;
mod desk;
mod log_desk;
mod names;
mod order;
mod prefer;
mod purge_method;
mod refused;
mod show;
mod ttl;

pub use desk::{BanStatus, Desk, DeskError, Later, LogStatus, NodeStatus};
pub use log_desk::LogDesk;

type Shared = State<Arc<dyn Desk>>;
type Name = Result<Path<String>, PathRejection>;

/// The routes, and those of `beside`, which must have no fallback of its own. To be served behind the admin
/// token. PURGE is looked at first: any path may be one that a site has.
pub fn router(desk: Arc<dyn Desk>, beside: Router) -> Router {
    let routes = Router::new()
        .route("/purge", post(purge))
        .route("/purge/{id}", get(report))
        .route("/ban", post(add_ban).get(bans))
        .route("/ban/{id}", delete(lift_ban))
        .route("/log", get(log))
        .route("/log/nodes/{name}", delete(forget))
        .with_state(desk.clone())
        .merge(beside)
        .method_not_allowed_fallback(|| async {
            let reason = "this path has other methods; `Allow` lists them";
            error(StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed", reason)
        })
        .fallback(|| async { not_found("nothing is at this path") });
    Router::new().fallback(move |request: Request| async move {
        if request.method().as_str() == "PURGE" {
            return purge_method::answer(&*desk, request).await.into_response();
        }
        routes.oneshot(request).await.into_response()
    })
}

async fn purge(State(desk): Shared, headers: HeaderMap, body: Body) -> Result<Response, Refused> {
    let order = order::purge(body::read(body).await?, draft(&*desk)?, &*desk)?;
    Ok(outcome(&desk.send(order, prefer::wait(&headers)).await?))
}

async fn report(State(desk): Shared, id: Name, headers: HeaderMap) -> Response {
    let known = match &id {
        Ok(Path(id)) => desk.report(id, prefer::wait(&headers)).await,
        Err(_) => None,
    };
    match known {
        Some(report) => json_answer(StatusCode::OK, json!(report)),
        None => not_found("no order has this id, or it is forgotten by now"),
    }
}

async fn add_ban(State(desk): Shared, headers: HeaderMap, body: Body) -> Result<Response, Refused> {
    let order = order::ban(body::read(body).await?, draft(&*desk)?, &*desk)?;
    // A dry run makes no ban, only a report.
    let made = if order.dry_run { "purge" } else { "ban" };
    let id = order.id.clone();
    let report = desk.send(order, prefer::wait(&headers)).await?;
    let location = format!("/{made}/{id}");
    let answer = json_answer(StatusCode::CREATED, json!({ "id": id, "report": report }));
    Ok(at(answer, &location))
}

async fn lift_ban(State(desk): Shared, id: Name, headers: HeaderMap) -> Result<Response, Refused> {
    let known = |id: &String| desk.bans().iter().any(|status| status.ban.id == *id);
    let Some(id) = id.ok().map(|Path(id)| id).filter(known) else {
        return Ok(not_found("no ban in force has this id"));
    };
    let order = draft(&*desk)?.order(Target::Lift(id), How::Hard, false);
    Ok(outcome(&desk.send(order, prefer::wait(&headers)).await?))
}

async fn forget(State(desk): Shared, name: Name) -> Result<Response, Refused> {
    let Ok(Path(name)) = name else { return Ok(not_found("no node has this name")) };
    if desk.forget(&name).await? {
        return Ok(json_answer(StatusCode::OK, json!({ "forgotten": name })));
    }
    Ok(not_found("no node has this name"))
}

async fn bans(State(desk): Shared) -> Response {
    let bans: Vec<Value> = desk.bans().iter().map(show::ban).collect();
    json_answer(StatusCode::OK, json!({ "bans": bans }))
}

async fn log(State(desk): Shared) -> Response {
    json_answer(StatusCode::OK, show::log(&desk.log().await))
}

/// A new order, with an id that no other has.
fn draft(desk: &dyn Desk) -> Result<Draft, Refused> {
    let id = runtime::random::hex().map_err(Refused::NoId)?;
    Ok(Draft { id, issued_ms: desk.now_ms() })
}

/// What became of an order. 200 says that every node has done it, and nothing else does: with 202 the phase
/// says why not, and the report's own address what becomes of it.
fn outcome(report: &PurgeReport) -> Response {
    if report.phase == Phase::Complete {
        return json_answer(StatusCode::OK, json!(report));
    }
    at(json_answer(StatusCode::ACCEPTED, json!(report)), &format!("/purge/{}", report.id))
}

fn at(mut response: Response, location: &str) -> Response {
    if let Ok(location) = HeaderValue::from_str(location) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response
}

#[cfg(test)]
mod tests;
