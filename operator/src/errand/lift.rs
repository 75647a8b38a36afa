//! `operator lift-bans`: no BanRule is left that waits for an operator.

use std::time::Duration;

use clap::Args;
use crds::BanRule;
use kube::api::{
    ApiResource, DeleteParams, DynamicObject, ListParams, Patch, PatchParams, Preconditions,
};
use kube::core::PartialObjectMeta;
use kube::runtime::conditions::is_deleted;
use kube::runtime::wait::await_condition;
use kube::{Api, Client, ResourceExt};
use serde_json::json;
use tokio::time::Instant;

use super::ANSWER;
use crate::names::LIFT;

/// What is to be lifted.
#[derive(Clone, Debug, Args)]
pub struct LiftBans {
    /// The namespaces whose bans are lifted, with commas between them [default: all]
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub namespaces: Vec<String>,

    /// Seconds for the operator to lift them. What is left then is let go as it is: bans end by their own time
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    pub patience: u64,
}

/// What became of them.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Lifted {
    /// Gone as they should.
    pub lifted: usize,
    /// Nobody lifted them in time, so they were let go.
    pub released: usize,
}

/// Deletes all bans and waits until they are gone, for as long as `asked` says.
///
/// # Errors
/// When the API server refuses something.
pub async fn lift(client: &Client, asked: &LiftBans) -> Result<Lifted, kube::Error> {
    let namespaces: Vec<_> = asked.namespaces.iter().map(String::as_str).collect();
    // What is in a ban does not matter, so one that cannot be read goes, too.
    let kind = ApiResource::erase::<BanRule>(&());
    let within = |name: &str| Api::<DynamicObject>::namespaced_with(client.clone(), name, &kind);
    let places = match &namespaces[..] {
        [] => vec![Api::all_with(client.clone(), &kind)],
        named => named.iter().map(|name| within(name)).collect(),
    };
    let of = |ban: &PartialObjectMeta<DynamicObject>| {
        (ban.name_any(), within(&ban.namespace().unwrap_or_default()))
    };
    let mut bans = Vec::new();
    for place in places {
        match place.list_metadata(&ListParams::default()).await {
            Ok(list) => bans.extend(list.items),
            // Nobody knows what a BanRule is any more, or the namespace is gone.
            Err(kube::Error::Api(status)) if status.code == 404 => {}
            Err(error) => return Err(error),
        }
    }
    for ban in &bans {
        let uid = ban.metadata.uid.clone();
        let precondition = Preconditions { uid, resource_version: None };
        let how = DeleteParams::default().preconditions(precondition);
        let (name, api) = of(ban);
        gone_is_good(api.delete(&name, &how).await)?;
    }
    let end = Instant::now() + Duration::from_secs(asked.patience);
    let mut done = Lifted::default();
    for ban in &bans {
        let (name, api) = of(ban);
        let uid = ban.uid().unwrap_or_default();
        let gone = await_condition(api.clone(), &name, is_deleted(&uid));
        if matches!(tokio::time::timeout_at(end, gone).await, Ok(Ok(_))) {
            done.lifted += 1;
            continue;
        }
        tracing::warn!(
            ban = name,
            namespace = ban.namespace(),
            "not lifted in time; it ends by itself"
        );
        let found = match tokio::time::timeout(ANSWER, api.get_metadata_opt(&name)).await {
            Ok(found) => found?,
            Err(_) => continue,
        };
        let Some(found) = found.filter(|found| found.uid() == ban.uid()) else {
            done.lifted += 1;
            continue;
        };
        let others: Vec<_> = found.finalizers().iter().filter(|name| *name != LIFT).collect();
        let body = json!({ "metadata": { "uid": found.uid(), "finalizers": others } });
        let how = PatchParams::default();
        gone_is_good(api.patch_metadata(&name, &how, &Patch::Merge(&body)).await)?;
        done.released += 1;
    }
    Ok(done)
}

/// Another that has the name now was not meant.
fn gone_is_good<T>(result: Result<T, kube::Error>) -> Result<(), kube::Error> {
    match result {
        Err(kube::Error::Api(status)) if matches!(status.code, 404 | 409) => Ok(()),
        other => other.map(drop),
    }
}
