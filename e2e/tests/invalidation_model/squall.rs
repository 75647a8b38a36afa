//! Several things go wrong together, as they do: steps that single chance hardly ever puts in a row.

use wire::invalidation::OnLogLoss;

use crate::rules::{Broken, What};
use crate::sender::Kept;
use crate::site::KEYS;
use crate::view::RAMP;
use crate::world::World;

/// Keys that are asked for more than others.
const POPULAR: usize = 4;

/// Clients ask more than else for what an order was about.
pub struct Focus {
    pub until: u64,
    /// This node; and until then others are cut off.
    pub at: Option<usize>,
    /// As bits.
    pub keys: u32,
}

impl World {
    /// A node is cut off while an order is given and lost again, and comes back to a log that knows no more of it.
    pub fn squall(&mut self) -> Option<What> {
        if self.kept.len() > 8 {
            return None;
        }
        if self.rng.chance(50) {
            self.ask_everywhere(POPULAR);
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
        let keys = self.kept.last().map_or(0, Kept::keys);
        self.focus = Some(Focus { until: self.step + 200, at: None, keys });
        self.all_but(away, Self::take_in);
        if self.rng.chance(60) {
            (0..self.kept.len()).rev().for_each(|at| self.judge_at(at));
        }
        self.senders_cut[sender] = true;
        match self.rng.below(5) {
            0 | 1 => self.log.fail_over(1, self.broken == Some(Broken::IdsGoBack)),
            2 | 3 => self.log.trim(0),
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
            self.ask_everywhere(POPULAR);
        }
        if self.rng.chance(50) {
            self.goodbye = Some((self.step + 200, away));
        }
        Some(What::Squalls)
    }

    /// Some nodes hear of an order, maybe in a log that began anew, and others do not, though all hear each
    /// other. One of those that do may be new, and asks the others for what it lacks.
    pub fn rift(&mut self) -> Option<What> {
        if self.kept.len() > 8 {
            return None;
        }
        let wanted = |node: &crate::node::Node| !node.shield && node.serves() && !node.cut;
        let aware = self.rng.among(&self.nodes, wanted)?;
        self.ask_everywhere(POPULAR);
        let most = if self.rng.chance(50) { 100 } else { 50 };
        for at in (0..self.nodes.len()).filter(|at| *at != aware) {
            self.nodes[at].cut |= self.rng.chance(most);
        }
        if self.rng.chance(40) {
            self.restart_log();
        }
        if self.rng.chance(50) {
            self.nodes[aware].view.came(aware, self.now.saturating_sub(RAMP / 2));
        }
        self.give()?;
        self.trace.note(self.step, None, None, "rift", 0);
        self.all_but(usize::MAX, Self::take_in);
        let keys = self.kept.last().map_or(0, Kept::keys);
        (0..KEYS).filter(|key| keys & (1 << key) != 0).for_each(|key| self.arrive_at(aware, key));
        self.flow(30);
        self.focus = Some(Focus { until: self.step + 100, at: Some(aware), keys });
        Some(What::Rifts)
    }

    /// Clients ask every edge for what is asked for most, and are answered.
    fn ask_everywhere(&mut self, keys: usize) {
        for at in 0..self.nodes.len() {
            if !self.nodes[at].shield && self.nodes[at].serves() {
                (0..keys).for_each(|key| self.arrive_at(at, key));
            }
        }
        self.flow(60);
    }

    /// What is under way goes on for a while, and nothing else.
    fn flow(&mut self, rounds: usize) {
        for _ in 0..rounds {
            self.look();
            self.poll();
            self.send();
            self.reach();
            self.take_back();
            self.finish();
        }
    }

    /// A node whose time is over leaves, and orders may be complete without it.
    pub fn part(&mut self) {
        let Some((_, at)) = self.goodbye.take_if(|(step, _)| *step <= self.step) else { return };
        if self.nodes[at].up {
            self.leave_at(at);
            self.senders_cut.fill(false);
            (0..self.kept.len()).rev().for_each(|at| self.judge_at(at));
            self.ask_everywhere(POPULAR);
        }
    }

    /// What was kept apart is together again, and all that can be known is.
    pub fn reunite(&mut self) {
        let Some(focus) = self.focus.take_if(|focus| focus.until <= self.step) else { return };
        if focus.at.is_none() {
            return;
        }
        self.nodes.iter_mut().for_each(|node| node.cut = false);
        if self.rng.chance(50) {
            self.all_but(usize::MAX, Self::beat_twice);
            self.all_but(usize::MAX, Self::take_in);
            (0..self.kept.len()).rev().for_each(|at| self.judge_at(at));
            self.ask_everywhere(POPULAR);
        }
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
