//! How a GeoDNS finds out whether PoPs are well.

use serde::{Deserialize, Serialize};

use super::{MAX_NAME, Pop, ZonesError, settings::range};

/// How the addresses of a pool's PoPs are probed: over HTTP, through the addresses that clients use. Times are in
/// milliseconds. Left as they are, an address that is gone is out of answers within two seconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Probe {
    /// What is asked for with GET, and has to give a status of 200 to 399. Without, `OPTIONS *` with
    /// `Max-Forwards: 0` (RFC 9110, section 7.6.2), which has to give 200 to 299.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The `Host` of the question; without, the address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// Where edges listen for HTTP, 1 or more.
    pub port: u16,
    /// Between the starts of two probes while nothing changes, 100 to 60,000.
    pub interval_ms: u32,
    /// The same while something may change, 50 to `intervalMs`.
    pub doubt_interval_ms: u32,
    /// A probe without an answer for so long has failed, 10 to 10,000.
    pub timeout_ms: u32,
}

impl Default for Probe {
    fn default() -> Self {
        Self {
            path: None,
            host: None,
            port: 80,
            interval_ms: 750,
            doubt_interval_ms: 250,
            timeout_ms: 250,
        }
    }
}

impl Probe {
    pub(super) fn check(&self, at: &str) -> Result<(), ZonesError> {
        range(at, "probe.port", self.port.into(), 1, u16::MAX.into())?;
        range(at, "probe.intervalMs", self.interval_ms, 100, 60_000)?;
        range(at, "probe.doubtIntervalMs", self.doubt_interval_ms, 50, self.interval_ms)?;
        range(at, "probe.timeoutMs", self.timeout_ms, 10, 10_000)?;
        let visible = |text: &str| text.bytes().all(|byte| byte.is_ascii_graphic());
        let fits = |text: &str| (1..=MAX_NAME).contains(&text.len()) && visible(text);
        let path = self.path.as_deref().filter(|path| !fits(path) || !path.starts_with('/'));
        match path.or(self.host.as_deref().filter(|host| !fits(host))) {
            Some(text) => Err(ZonesError::Probe { at: at.to_owned(), text: text.to_owned() }),
            None => Ok(()),
        }
    }
}

impl Pop {
    pub(super) fn check_probes(&self, at: &str) -> Result<(), ZonesError> {
        let own = |address: &std::net::IpAddr| match address {
            std::net::IpAddr::V4(v4) => self.v4.contains(v4),
            std::net::IpAddr::V6(v6) => self.v6.contains(v6),
        };
        let wrong = |(address, to): &(&std::net::IpAddr, &std::net::SocketAddr)| {
            !own(address) || to.port() == 0 || to.ip().is_unspecified()
        };
        match self.probe_at.iter().find(wrong) {
            Some((address, to)) => {
                let text = format!("{address}: {to}");
                Err(ZonesError::Probe { at: at.to_owned(), text })
            }
            None => Ok(()),
        }
    }
}
