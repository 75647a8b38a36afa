//! Several things go wrong together, as they do: steps that single chance hardly ever puts in a row.

use wire::invalidation::OnLogLoss;

use crate::rules::{Broken, What};
use crate::world::World;

impl World {
    /// A node is cut off while an order is given and lost again, and comes back to a log that knows no more of it.
    pub fn squall(&mut self) -> Option<What> {
        if self.kept.len() > 8 {
            return None;
        }
        let serves = |node: &crate::node::Node| node.serves() && !node.cut;
        let above = self.rng.chance(50);
        let away = self.rng.among(&self.nodes, |node| serves(node) && node.shield == above)?;
        self.nodes[away].cut = true;
        let lapses = self.nodes[away].on_log_loss == OnLogLoss::Revalidate && self.rng.chance(50);
        if lapses {
            for _ in 0..19 {
                self.now += 1_000;
                self.all_but(away, Self::beat_twice);
            }
        }
        let sender = self.give()?;
        self.all_but(away, Self::take_in);
        if self.rng.chance(60) {
            (0..self.kept.len()).rev().for_each(|at| self.judge_at(at));
        }
        self.senders_cut[sender] = true;
        match self.rng.below(4) {
            0 | 1 => self.log.fail_over(1, self.broken == Some(Broken::IdsGoBack)),
            2 => self.log.trim(0),
            _ => {}
        }
        self.trace.note(self.step, None, None, "squall around sender", sender as u64);
        self.give();
        self.all_but(away, Self::take_in);
        self.nodes[away].cut = false;
        for _ in 0..2 {
            self.beat_twice(away);
            self.take_in(away);
        }
        self.all_but(away, Self::beat_twice);
        if self.rng.chance(50) {
            self.goodbye = Some((self.step + 200, away));
        }
        Some(What::Squalls)
    }

    /// An order is given at once; who gave it.
    fn give(&mut self) -> Option<usize> {
        self.change()?;
        let at = self.kept.len() - 1;
        self.publish_at(at);
        Some(self.kept[at].sender)
    }

    fn all_but(&mut self, away: usize, mut act: impl FnMut(&mut Self, usize)) {
        for at in 0..self.nodes.len() {
            if at != away && self.nodes[at].up && !self.nodes[at].cut {
                act(self, at);
            }
        }
    }

    /// A node sends a heartbeat, and it arrives.
    fn beat_twice(&mut self, at: usize) {
        self.beat_at(at);
        self.beat_at(at);
    }

    /// A node reads all there is and acknowledges it.
    fn take_in(&mut self, at: usize) {
        if self.nodes[at].joined {
            while self.read_at(at) {}
        }
        let all = self.nodes[at].acks.len();
        self.acknowledge_at(at, all);
    }
}
