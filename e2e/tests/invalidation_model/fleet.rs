//! Who is there changes, and every node hears of it in its own time, or sees what is not so.

use crate::rules::What;
use crate::view::View;
use crate::world::World;

impl World {
    /// A node is written into the document of who is there, or struck out of it, whether it runs or not.
    pub fn regroup(&mut self) -> Option<What> {
        let at = self.rng.below(self.nodes.len());
        self.fleet.members[at] = !self.fleet.members[at];
        // Members come sooner than they go: most rings have some.
        if !self.fleet.members[at] && self.rng.chance(80) {
            self.fleet.members[at] = true;
            return None;
        }
        self.fleet.version += 1;
        let is = u64::from(self.fleet.members[at]);
        self.trace.note(self.step, None, Some(at), "is a member", is);
        Some(What::Regroups)
    }

    /// A node reads the document.
    pub fn learn(&mut self) -> Option<What> {
        let version = self.fleet.version;
        let at = self.rng.among(&self.nodes, |node| node.up && node.view.version != version)?;
        self.nodes[at].view.learn(&self.fleet, at, self.now);
        self.trace.note(self.step, None, Some(at), "learns who is there", version);
        Some(What::Learns)
    }

    /// A node looks how another is.
    pub fn probe(&mut self) -> Option<What> {
        let at = self.rng.among(&self.nodes, |node| node.up)?;
        let serves: Vec<_> = self.nodes.iter().map(crate::node::Node::serves).collect();
        let all: Vec<_> = (0..serves.len()).filter(|of| *of != at).collect();
        let down = self.nodes[at].view.down.clone();
        let of = all[self.rng.among(&all, |of| down[*of] == serves[*of])?];
        self.nodes[at].view.doubt(of, !serves[of], self.now);
        self.trace.note(self.step, None, Some(at), "sees what became of node", of as u64);
        Some(What::Probes)
    }

    /// A node changes its mind about another for no good reason.
    pub fn doubt(&mut self) -> Option<What> {
        let at = self.rng.among(&self.nodes, |node| node.up)?;
        let of = self.rng.below(self.nodes.len());
        if of == at {
            return None;
        }
        let dead = !self.nodes[at].view.down[of];
        self.nodes[at].view.doubt(of, dead, self.now);
        self.trace.note(self.step, None, Some(at), "changes its mind about node", of as u64);
        Some(What::Doubts)
    }

    /// A node that starts anew knows the document, and nothing else of anybody; it is new itself.
    pub fn acquaint(&mut self, at: usize) {
        let mut view = View::new(&self.fleet, at);
        view.changes = self.nodes[at].view.changes + 1;
        view.came(at, self.now);
        self.nodes[at].view = view;
    }
}
