//! What the operator shows of itself: `/debug/snapshot`.

use std::sync::Arc;

use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use parking_lot::Mutex;
use serde::Serialize;

use crate::build::Object;
use crate::set::Judged;

/// What was decided in the last round.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Shown {
    resources: Vec<ShownResource>,
    documents: Vec<ShownDocument>,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ShownResource {
    kind: &'static str,
    name: String,
    generation: i64,
    accepted: bool,
    reason: &'static str,
    message: String,
    version: Option<String>,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ShownDocument {
    namespace: String,
    name: String,
    hash: String,
}

impl Shown {
    /// What is to be seen of a round.
    pub fn of(judged: &[Judged], documents: &[Object]) -> Self {
        let resource = |one: &Judged| ShownResource {
            kind: one.owner.tier.kind(),
            name: one.owner.full_name(),
            generation: one.generation,
            accepted: one.problem.is_none(),
            reason: one.problem.as_ref().map_or("Accepted", |problem| problem.reason.as_str()),
            message: one.problem.as_ref().map(|p| p.message.clone()).unwrap_or_default(),
            version: one.serving.as_ref().map(|serving| serving.version.clone()),
        };
        let document = |object: &Object| ShownDocument {
            namespace: object.key.namespace.clone(),
            name: object.key.name.clone(),
            hash: object.hash.clone(),
        };
        Self {
            resources: judged.iter().map(resource).collect(),
            documents: documents.iter().map(document).collect(),
        }
    }
}

/// The page, to be put behind the token.
pub fn router(shown: Arc<Mutex<Shown>>) -> Router {
    Router::new().route("/debug/snapshot", get(snapshot)).with_state(shown)
}

async fn snapshot(State(shown): State<Arc<Mutex<Shown>>>) -> Json<Shown> {
    Json(shown.lock().clone())
}
