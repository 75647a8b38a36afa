//! Looking for a URL: every node behind the API is asked what it knows.

use http::Method;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::answers::whereabouts::{Entry, NodeHere, NodeList, Seen};
use crate::api::{Api, ApiError, Ask, segment};
use crate::failure::Failure;

/// What the nodes say.
pub(crate) struct Whereabouts {
    pub(crate) url: String,
    pub(crate) nodes: Vec<Told>,
    /// Nodes that know nothing of it, and why.
    pub(crate) refused: Vec<(String, String)>,
}

/// What one node says.
pub(crate) struct Told {
    pub(crate) name: String,
    pub(crate) seen: Seen,
    pub(crate) entry: Option<Entry>,
    /// The answers as they were: of the ring, and of what is stored.
    said: [Value; 2],
}

impl Whereabouts {
    /// The same for programs: the API's answers by node.
    pub(crate) fn value(&self) -> Value {
        let node = |told: &Told| {
            let [ring, entry] = &told.said;
            json!({ "name": told.name, "ring": ring, "entry": entry })
        };
        let refused = |(name, reason): &(_, _)| json!({ "name": name, "reason": reason });
        json!({
            "url": self.url,
            "nodes": self.nodes.iter().map(node).collect::<Vec<_>>(),
            "refused": self.refused.iter().map(refused).collect::<Vec<_>>(),
        })
    }
}

/// Asks all nodes behind `api` for `url`, or only the one called `node`. A node that does not serve its host
/// says so, as another pool's does; if all do, that is the answer.
pub(crate) async fn find(api: &Api, url: &str, node: Option<&str>) -> Result<Whereabouts, Failure> {
    let (mut found, mut refused) = (Vec::new(), Vec::new());
    for here in nodes(api, node).await? {
        match told(api, &here, url).await {
            Ok(told) => found.push(told),
            Err(ApiError::Refused(words)) => {
                // Of the parameter, of which the user knows nothing.
                let reason = words.strip_prefix("key: ").unwrap_or(&words).to_owned();
                refused.push((here.name, reason));
            }
            Err(error) => return Err(error.into()),
        }
    }
    let url = url.to_owned();
    match refused.first() {
        Some((_, reason)) if found.is_empty() => {
            Err(Failure::Nowhere { url, reason: reason.clone() })
        }
        None if found.is_empty() => {
            let reason = format!("no node runs behind {}", api.base());
            Err(Failure::Nowhere { url, reason })
        }
        _ => Ok(Whereabouts { url, nodes: found, refused }),
    }
}

async fn nodes(api: &Api, only: Option<&str>) -> Result<Vec<NodeHere>, Failure> {
    let (NodeList { mut nodes }, _) = get(api, "/debug/nodes").await?;
    // It becomes part of a URL that the token is sent to.
    if let Some(odd) = nodes.iter().find(|n| !n.path.is_empty() && !n.path.starts_with('/')) {
        let reason = format!("node {} under {:?}", odd.name, odd.path);
        return Err(ApiError::NotOurs { api: api.base().to_owned(), reason }.into());
    }
    let Some(only) = only else { return Ok(nodes) };
    match nodes.iter().position(|node| node.name == only) {
        Some(place) => Ok(vec![nodes.swap_remove(place)]),
        None => {
            let names: Vec<_> = nodes.into_iter().map(|node| node.name).collect();
            let names = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
            Err(Failure::NoNode(only.to_owned(), api.base().to_owned(), names))
        }
    }
}

async fn told(api: &Api, node: &NodeHere, url: &str) -> Result<Told, ApiError> {
    let (path, text) = (&node.path, segment(url));
    let (seen, ring) = get(api, &format!("{path}/debug/ring?key={text}")).await?;
    let stored = get(api, &format!("{path}/debug/entry?url={text}")).await;
    let (entry, stored) = match stored {
        Ok((entry, value)) => (Some(entry), value),
        // Whoever tells of rings has this page too: it is the URL that is not there.
        Err(ApiError::NotFound(_)) => (None, Value::Null),
        Err(error) => return Err(error),
    };
    Ok(Told { name: node.name.clone(), seen, entry, said: [ring, stored] })
}

async fn get<T: DeserializeOwned>(api: &Api, path: &str) -> Result<(T, Value), ApiError> {
    let page = path.split('?').next().unwrap_or(path);
    let not_found = format!("the API has no {page}: it is not that of a node, or an older one");
    api.ask(Ask { method: Method::GET, path, body: None, wait: None, not_found }).await
}
