//! What speaks against the addresses of a PoP besides probes: its edges say that they go, or say nothing any more.

use std::collections::HashMap;
use std::time::Duration;

use bus::Member;
use dns::health::Passive;
use wire::invalidation::Heartbeat;

/// Who has said nothing for so long is missing, and has no load any more. Edges say something every second.
pub(crate) const SILENT: Duration = Duration::from_secs(4);

/// What was said against each node, by its name.
#[derive(Debug, Default)]
pub(crate) struct Signals(HashMap<String, Node>);

#[derive(Debug)]
struct Node {
    pool: String,
    pop: String,
    against: Option<Passive>,
}

/// Something new speaks against the edges of a PoP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Signal {
    pub(crate) pool: String,
    pub(crate) pop: String,
    pub(crate) why: Passive,
}

impl Signals {
    /// What is new in what nodes say now. A node that was not known before is no news: while it starts it is not ready.
    /// One that is not there any more said goodbye or was declared gone, which is as good as missing.
    pub(crate) fn take(&mut self, members: &[Member]) -> Vec<Signal> {
        let mut before = std::mem::take(&mut self.0);
        let mut signals = Vec::new();
        for member in members {
            let Heartbeat { node, pool, pop: Some(pop), .. } = &member.beat else { continue };
            let against = against(member);
            let was = before.remove(node).map(|node| node.against);
            if let Some(why) = against
                && was.is_some_and(|was| was != against)
            {
                signals.push(Signal { pool: pool.clone(), pop: pop.clone(), why });
            }
            let (pool, pop) = (pool.clone(), pop.clone());
            self.0.insert(node.clone(), Node { pool, pop, against });
        }
        let gone = before.into_values().filter(|node| node.against != Some(Passive::Missing));
        signals.extend(gone.map(|Node { pool, pop, .. }| {
            let why = Passive::Missing;
            Signal { pool, pop, why }
        }));
        signals
    }
}

fn against(Member { beat, unheard, .. }: &Member) -> Option<Passive> {
    if *unheard > SILENT {
        Some(Passive::Missing)
    } else if beat.draining {
        Some(Passive::Draining)
    } else {
        (beat.ready == Some(false)).then_some(Passive::NotReady)
    }
}

#[cfg(test)]
mod tests;
