//! A URL as an operator writes it, read as a request for it would be.

use std::sync::Arc;

use semantics::{normalize_host, write_cache_key};

use crate::config::Node;
use crate::site::Site;

/// What a request for a URL comes to on a node.
pub(super) struct Addressed {
    pub(super) site: Arc<Site>,
    pub(super) key: Vec<u8>,
}

impl Addressed {
    /// What of a request its key takes in besides the URL: fields and cookies.
    pub(super) fn also_keyed_by(&self) -> Vec<String> {
        let headers = self.site.key.headers.iter().map(|name| format!("header {name}"));
        let cookies = self.site.key.cookies.iter().map(|name| format!("cookie {name}"));
        headers.chain(cookies).collect()
    }
}

/// Reads `url`: absolute, of a host that `node` serves. Without fields: a key that takes some in is that of a
/// request that has none of them.
pub(super) fn addressed(node: &Node, url: &str) -> Result<Addressed, String> {
    let url = url.parse::<http::Uri>().map_err(|error| error.to_string())?;
    let (Some(scheme), Some(authority)) = (url.scheme_str(), url.authority()) else {
        return Err("must be absolute, such as http://cdn.example.com/path".into());
    };
    if !matches!(scheme, "http" | "https") {
        return Err(format!("must begin with http:// or https://; {scheme} is neither"));
    }
    let Ok(host) = normalize_host(authority.host(), scheme) else {
        return Err("the host is not a host name".into());
    };
    let config = node.config();
    let Some((site, known_as)) = config.site(&host) else {
        return Err("no site of this pool serves that host".into());
    };
    let path = url.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
    let mut key = Vec::new();
    let host = known_as.unwrap_or(&host);
    write_cache_key(&mut key, scheme, host, path, &http::HeaderMap::new(), &site.key);
    Ok(Addressed { site: site.clone(), key })
}
