//! Where DNS sends a client, and why.

use std::net::IpAddr;

use http::{Method, Uri};
use serde_json::Value;

use crate::answers::directions::Directions;
use crate::api::{Api, Ask, segment};
use crate::failure::Failure;

/// Asks where a client with the address `from` goes for a URL, or for a host alone.
pub(crate) async fn find(
    api: &Api,
    what: &str,
    from: IpAddr,
) -> Result<(Directions, Value), Failure> {
    let Some(host) = host(what) else {
        return Err(Failure::Usage(format!("`{what}` is neither a URL nor the name of a host")));
    };
    let path = format!("/where?ip={from}&name={}", segment(&host));
    let not_found = format!(
        "{} knows no place for {host}: no pool has this name, or no DNS runs there",
        api.base()
    );
    Ok(api.ask(Ask { method: Method::GET, path: &path, body: None, wait: None, not_found }).await?)
}

/// The host of a URL, or the text itself if it is a host.
fn host(what: &str) -> Option<String> {
    let uri: Uri = what.parse().ok()?;
    let is_host = uri.scheme().is_some() || uri.path_and_query().is_none();
    uri.host().filter(|_| is_host).map(|host| host.trim_end_matches('.').to_owned())
}

#[cfg(test)]
mod tests;
