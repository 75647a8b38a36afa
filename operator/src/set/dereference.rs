//! The first step: what is not in the resources themselves. Secrets are asked for by name, and only whether
//! they are there and have the key; what they say stays in the API server.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use k8s_openapi::api::core::v1::Secret;
use kube::{Api, Client};

use crate::build::Settings;

/// How long the word that all is there is believed, and that something is missing.
const BELIEVED: Duration = Duration::from_secs(300);
/// See [`BELIEVED`].
pub(super) const AGAIN: Duration = Duration::from_secs(3);

/// Why nothing can be said of a Secret.
#[derive(Debug, thiserror::Error)]
pub enum DereferenceError {
    /// The API server did not tell.
    #[error("the Secret {namespace}/{name} cannot be asked for: {error}")]
    Unknown {
        /// Its namespace.
        namespace: String,
        /// Its name.
        name: String,
        /// Why.
        error: Box<kube::Error>,
    },
}

/// What is known of the Secrets that pods need, by namespace.
#[derive(Debug, Default)]
pub struct Secrets(BTreeMap<String, Known>);

#[derive(Debug)]
struct Known {
    missing: Option<String>,
    asked: Duration,
}

/// A Secret's name and the keys that it must have.
fn needed(settings: &Settings) -> Vec<(&str, Vec<&'static str>)> {
    let mut url = vec!["url"];
    if settings.log_ca {
        url.push("ca.crt");
    }
    let log = settings.log_secret.as_deref().map(|name| (name, url));
    let admin = settings.admin_secret.as_deref().map(|name| (name, vec!["token"]));
    log.into_iter().chain(admin).collect()
}

impl Secrets {
    /// What is missing, by namespace.
    pub fn missing(&self) -> BTreeMap<String, String> {
        let missing = |(namespace, known): (&String, &Known)| {
            Some((namespace.clone(), known.missing.clone()?))
        };
        self.0.iter().filter_map(missing).collect()
    }

    /// Asks for those of `namespaces` that are not known, or for too long.
    ///
    /// # Errors
    /// When the API server did not tell; what was known stays, and what was not is taken for there.
    pub async fn dereference(
        &mut self,
        client: &Client,
        namespaces: &BTreeSet<String>,
        settings: &Settings,
        now: Duration,
    ) -> Result<(), DereferenceError> {
        let needed = needed(settings);
        self.0.retain(|namespace, _| namespaces.contains(namespace));
        for namespace in namespaces.iter().filter(|_| !needed.is_empty()) {
            let fresh = self.0.get(namespace).is_some_and(|known| {
                let believed = if known.missing.is_some() { AGAIN } else { BELIEVED };
                now.saturating_sub(known.asked) < believed
            });
            if fresh {
                continue;
            }
            let missing = missing(client, namespace, &needed).await?;
            self.0.insert(namespace.clone(), Known { missing, asked: now });
        }
        Ok(())
    }
}

/// All that is missing, in one sentence: who mends it wants to do so once.
async fn missing(
    client: &Client,
    namespace: &str,
    needed: &[(&str, Vec<&'static str>)],
) -> Result<Option<String>, DereferenceError> {
    let secrets: Api<Secret> = Api::namespaced(client.clone(), namespace);
    let mut missing = Vec::new();
    for (name, keys) in needed {
        let secret = secrets.get_opt(name).await.map_err(|error| DereferenceError::Unknown {
            namespace: namespace.to_owned(),
            name: (*name).to_owned(),
            error: Box::new(error),
        })?;
        let Some(secret) = secret else {
            missing.push(format!(
                "the Secret `{name}` is missing in namespace `{namespace}`: its pods need `{}` of it",
                keys.join("` and `")
            ));
            continue;
        };
        let data = secret.data.unwrap_or_default();
        missing.extend(keys.iter().filter(|key| !data.contains_key(**key)).map(|key| {
            format!("the Secret `{name}` in namespace `{namespace}` has no key `{key}`: add it")
        }));
    }
    Ok((!missing.is_empty()).then(|| missing.join("; ")))
}

#[cfg(test)]
mod tests;
