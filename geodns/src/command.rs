//! `/maintenance`: takes PoPs out and lets them in again.

use std::sync::Arc;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use dns::fleet::{Family, Fleet};
use dns::steer::PopState;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::maintenance::Place;
use crate::service::{Service, Serving};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Command {
    pool: String,
    pop: String,
    on: bool,
}

/// A PoP in maintenance.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown {
    pool: String,
    pop: String,
    /// By a command, by the document, or both.
    by: Vec<&'static str>,
    /// No client remembers it any more.
    quiet: bool,
}

/// `POST /maintenance?pool=…&pop=…&on=true` or `false`; `GET /maintenance` shows who is out.
pub(crate) fn router(service: Arc<Service>) -> Router {
    Router::new().route("/maintenance", get(show).post(set)).with_state(service)
}

async fn set(
    State(service): State<Arc<Service>>,
    command: Result<Query<Command>, QueryRejection>,
) -> Response {
    let Query(Command { pool, pop, on }) = match command {
        Ok(command) => command,
        Err(rejection) => return wrong(StatusCode::BAD_REQUEST, &rejection.body_text()),
    };
    let place = Place { pool, pop };
    // Who is gone can be let in again, so that nothing stays that nobody can take away.
    if on && !is_there(service.serving.load().view.fleet(), &place) {
        return wrong(StatusCode::NOT_FOUND, "no pool has this pop");
    }
    let (held, wanted) = (Arc::clone(&service), place.clone());
    let done = tokio::task::spawn_blocking(move || held.maintenance.set(wanted, on)).await;
    match done {
        Ok(Ok(changed)) => {
            let Place { pool, pop } = place;
            if changed {
                tracing::info!(pool, pop, maintenance = on, "by command");
            }
            let body = json!({ "pool": pool, "pop": pop, "maintenance": on, "changed": changed });
            (StatusCode::OK, Json(body)).into_response()
        }
        Ok(Err(error)) => {
            tracing::error!(%error, "a command was not carried out");
            wrong(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string())
        }
        Err(error) => wrong(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string()),
    }
}

async fn show(State(service): State<Arc<Service>>) -> Response {
    let serving = service.serving.load();
    let mut shown: Vec<_> = (service.maintenance.all().iter())
        .map(|Place { pool, pop }| Shown {
            pool: pool.clone(),
            pop: pop.clone(),
            by: Vec::new(),
            quiet: true,
        })
        .collect();
    for (nth, pool) in serving.view.fleet().pools().iter().enumerate() {
        let targets = Family::ALL.iter().flat_map(|family| &pool.side(*family).targets);
        for target in targets.filter(|target| target.maintenance) {
            let known = |shown: &Shown| shown.pool == pool.name && shown.pop == target.name;
            if !shown.iter().any(known) {
                let (pool, pop) = (pool.name.clone(), target.name.clone());
                shown.push(Shown { pool, pop, by: Vec::new(), quiet: true });
            }
        }
        for shown in shown.iter_mut().filter(|shown| shown.pool == pool.name) {
            shown.quiet = drained(&serving, nth, &shown.pop) != Some(false);
        }
    }
    for shown in &mut shown {
        shown.by = taken_out(&service, &serving, &shown.pool, &shown.pop);
    }
    Json(json!({ "maintenance": shown })).into_response()
}

/// Who took a PoP out.
pub(crate) fn taken_out(
    service: &Service,
    serving: &Serving,
    pool: &str,
    pop: &str,
) -> Vec<&'static str> {
    let mut pools = serving.view.fleet().pools().iter().filter(|known| known.name == pool);
    let by_document = pools.any(|pool| {
        let side = |family| pool.side(family).targets.iter();
        Family::ALL.into_iter().flat_map(side).any(|t| t.name == pop && t.maintenance)
    });
    let words = [(by_document, "document"), (service.maintenance.has(pool, pop), "command")];
    words.into_iter().filter(|(is, _)| *is).map(|(_, word)| word).collect()
}

/// Whether a PoP of a pool that is in maintenance is quiet, by its addresses of both families; `None` if it is not there
/// or not out.
pub(crate) fn drained(serving: &Serving, pool: usize, pop: &str) -> Option<bool> {
    let standing = |family| {
        let (pool, side) = serving.view.side(pool, family)?;
        let standing = side.standings.get(usize::from(pool.side(family).place(pop)?))?;
        (standing.state == PopState::Maintenance).then_some(standing.quiet)
    };
    Family::ALL.into_iter().filter_map(standing).reduce(|a, b| a && b)
}

fn is_there(fleet: &Fleet, place: &Place) -> bool {
    let mut pools = fleet.pools().iter().filter(|pool| pool.name == place.pool);
    pools.any(|pool| Family::ALL.iter().any(|f| pool.side(*f).place(&place.pop).is_some()))
}

fn wrong(status: StatusCode, error: &str) -> Response {
    (status, Json(json!({ "error": error }))).into_response()
}
