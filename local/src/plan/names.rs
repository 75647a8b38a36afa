//! What servers are called: purges are acknowledged by name, so each name is one server's, and stays as long as that
//! runs. Pure.

use std::collections::HashSet;

use super::{Held, ServerPlan};

/// Gives names, each once.
pub(super) struct Names<'a> {
    held: &'a Held,
    taken: HashSet<String>,
}

impl<'a> Names<'a> {
    /// With the names taken that some of all `servers` have. Those of servers that leave are free.
    pub(super) fn new<'s>(
        servers: impl IntoIterator<Item = &'s ServerPlan>,
        held: &'a Held,
    ) -> Self {
        let taken = servers.into_iter().filter_map(|server| held.get(&server.id));
        Self { held, taken: taken.map(|held| held.name.clone()).collect() }
    }

    /// Names the `servers` of one tier, which is there for one pool or shield, or for `several`.
    pub(super) fn assign(&mut self, servers: &mut [ServerPlan], several: bool) {
        for server in servers {
            server.name = match self.held.get(&server.id) {
                Some(held) => held.name.clone(),
                None => self.new_name(server, several),
            };
        }
    }

    fn new_name(&mut self, server: &ServerPlan, several: bool) -> String {
        let place = server.pop.as_deref().unwrap_or("shield");
        let plain = format!("{place}-{}", server.id.replica);
        // A PoP may be called `shield`, and servers that run may have names of another time.
        if !several && self.taken.insert(plain.clone()) {
            return plain;
        }
        let mut name = format!("{}-{plain}", server.pool).replace('/', "-");
        while !self.taken.insert(name.clone()) {
            name.push_str("-b");
        }
        name
    }
}
