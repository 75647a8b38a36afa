//! Which keys of others this node keeps as well.

use std::time::Duration;

use upstream::ring::{HotKeys, HotSettings};
use wire::snapshot::Peering;

/// Counters of a row: as many as there are requests of a window, at a thousand a second or so; 1 MiB.
const COUNTERS: usize = 1 << 16;

/// Counts what is asked for of others; nothing until somebody asks.
#[derive(Debug, Default)]
pub(crate) struct Hot(Option<(HotSettings, HotKeys)>);

impl Hot {
    /// Counts one more request for a key, and tells whether it is hot by now for a node that keeps `objects`.
    pub(crate) fn ask(
        &mut self,
        key_hash: u64,
        peering: &Peering,
        objects: u64,
        now: Duration,
    ) -> bool {
        let window = Duration::from_millis(peering.hot_window_ms);
        let settings = HotSettings { times: peering.hot_after, window, counters: COUNTERS };
        if self.0.as_ref().is_none_or(|(old, _)| *old != settings) {
            self.0 = Some((settings, HotKeys::new(settings)));
        }
        self.0.as_mut().is_some_and(|(_, keys)| keys.ask_among(key_hash, now, objects))
    }
}
