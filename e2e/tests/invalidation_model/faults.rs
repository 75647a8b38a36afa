//! What goes wrong: nodes cut off, restarted and gone, and a log that forgets.

use wire::Seq;

use crate::rules::{Broken, What};
use crate::sender::SENDERS;
use crate::world::World;

impl World {
    pub fn cut(&mut self) -> Option<What> {
        let at = self.rng.among(&self.nodes, |node| node.up && !node.cut)?;
        self.nodes[at].cut = true;
        self.trace.note(self.step, None, Some(at), "is cut off", 0);
        Some(What::Cuts)
    }

    pub fn heal(&mut self) -> Option<What> {
        let at = self.rng.among(&self.nodes, |node| node.cut)?;
        self.nodes[at].cut = false;
        self.trace.note(self.step, None, Some(at), "reaches the log again", 0);
        Some(What::Heals)
    }

    pub fn cut_sender(&mut self) -> Option<What> {
        let sender = self.rng.below(SENDERS);
        self.senders_cut[sender] = true;
        Some(What::CutsSender)
    }

    pub fn heal_senders(&mut self) -> Option<What> {
        self.senders_cut.contains(&true).then(|| self.senders_cut.fill(false))?;
        Some(What::HealsSenders)
    }

    /// A node loses all it had, and comes again under the same name.
    pub fn restart(&mut self) -> Option<What> {
        let at = self.rng.among(&self.nodes, |node| node.up)?;
        self.restart_at(at);
        Some(What::Restarts)
    }

    pub fn restart_at(&mut self, at: usize) {
        self.nodes[at].restart();
        self.lose(at);
        self.acquaint(at);
        self.trace.note(self.step, None, Some(at), "restarts", 0);
    }

    /// A node says goodbye.
    pub fn leave(&mut self) -> Option<What> {
        let at = self.rng.among(&self.nodes, |node| node.up && !node.cut)?;
        self.leave_at(at);
        Some(What::Leaves)
    }

    pub fn leave_at(&mut self, at: usize) {
        self.nodes[at].restart();
        self.nodes[at].up = false;
        self.lose(at);
        self.log.leave(at);
        self.trace.note(self.step, None, Some(at), "leaves", 0);
    }

    pub fn start(&mut self) -> Option<What> {
        let at = self.rng.among(&self.nodes, |node| !node.up)?;
        self.nodes[at].restart();
        self.acquaint(at);
        Some(What::Starts)
    }

    /// The log fails over to a copy that lacks its end.
    pub fn fail_over(&mut self) -> Option<What> {
        let lost = self.rng.below(3) + 1;
        let back = self.broken == Some(Broken::IdsGoBack);
        self.log.fail_over(lost, back);
        if self.rng.chance(50) {
            let last = self.log.read(Seq::ZERO, usize::MAX).records.pop();
            last.into_iter().for_each(|record| self.log.lose_acks(record.seq));
        }
        self.trace.note(self.step, None, None, "the log fails over and loses", lost as u64);
        Some(What::FailsOver)
    }

    pub fn restart_log(&mut self) -> Option<What> {
        let clock = match self.rng.below(3) {
            0 => self.log.clock(),
            1 => self.log.clock() / 2,
            _ => 1,
        };
        self.log.restart(clock);
        self.trace.note(self.step, None, None, "the log restarts empty at", clock);
        Some(What::RestartsLog)
    }

    pub fn trim(&mut self) -> Option<What> {
        let len = self.log.len();
        if len == 0 {
            return None;
        }
        let keep = self.rng.below(len.min(5));
        self.log.trim(keep);
        self.trace.note(self.step, None, None, "the log is trimmed to", keep as u64);
        Some(What::Trims)
    }

    pub fn garble(&mut self) -> Option<What> {
        self.log.garble();
        Some(What::Garbles)
    }

    /// Whatever was under way at a node is lost.
    fn lose(&mut self, at: usize) {
        self.fills.retain(|fill| fill.at != at);
        let gone: Vec<_> = self.requests.extract_if(.., |request| request.at == at).collect();
        for request in gone {
            self.fail_lower(&request);
        }
        self.fetches.retain(|fetch| fetch.at != at);
    }
}
