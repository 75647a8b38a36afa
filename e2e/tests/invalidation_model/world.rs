//! The world: what there is, and its steps, taken at random.

use http::HeaderMap;

use crate::fetch::{Fetch, Filling};
use crate::log::Log;
use crate::node::Node;
use crate::promise::Promises;
use crate::rng::Rng;
use crate::rules::{Broken, Plan, Tally, What};
use crate::sender::Kept;
use crate::serve::Request;
use crate::site::{KEYS, Origin, key_of};
use crate::trace::Trace;

const EDGES: usize = 3;

pub struct World {
    pub broken: Option<Broken>,
    pub rng: Rng,
    pub step: u64,
    /// Milliseconds since the beginning.
    pub now: u64,
    pub origin: Origin,
    pub log: Log,
    pub nodes: Vec<Node>,
    pub requests: Vec<Request>,
    pub fetches: Vec<Fetch>,
    pub fills: Vec<Filling>,
    pub kept: Vec<Kept>,
    /// Bans that can be lifted.
    pub lifts: Vec<String>,
    pub promises: Promises,
    pub orders: u64,
    pub ids: u64,
    pub tally: Tally,
    pub trace: Trace,
    pub keys: Vec<Vec<u8>>,
    pub fields: HeaderMap,
    /// What went wrong first.
    pub violation: Option<String>,
    seed: u64,
}

type Step = fn(&mut World) -> Option<What>;

/// How often each step is tried, in parts of all together.
const STEPS: &[(u32, Step)] = &[
    (1_200, World::arrive),
    (1_300, World::look),
    (600, World::poll),
    (700, World::send),
    (800, World::reach),
    (800, World::take_back),
    (300, World::append),
    (700, World::finish),
    (40, World::abort),
    (30, World::change),
    (60, World::publish),
    (10, World::lift),
    (1_100, World::read),
    (500, World::acknowledge),
    (900, World::beat),
    (500, World::judge),
    (350, World::pass),
    (200, World::sweep),
    (30, World::forget),
    (12, World::cut),
    (30, World::heal),
    (3, World::restart),
    (3, World::leave),
    (25, World::start),
    (5, World::fail_over),
    (2, World::restart_log),
    (7, World::trim),
    (3, World::garble),
    (25, World::fail),
    (15, World::depart),
];

impl World {
    pub fn new(plan: &Plan) -> Self {
        let mut rng = Rng::new(plan.seed);
        let shields = 1 + rng.below(2);
        let nodes: Vec<_> =
            (0..EDGES + shields).map(|n| Node::new(n, n >= EDGES, &mut rng)).collect();
        Self {
            broken: plan.broken,
            rng,
            step: 0,
            now: 0,
            origin: Origin::new(),
            log: Log::new(nodes.len()),
            nodes,
            requests: Vec::new(),
            fetches: Vec::new(),
            fills: Vec::new(),
            kept: Vec::new(),
            lifts: Vec::new(),
            promises: Promises::default(),
            orders: 0,
            ids: 0,
            tally: Tally::new(),
            trace: Trace::new(),
            keys: (0..KEYS).map(key_of).collect(),
            fields: HeaderMap::new(),
            violation: None,
            seed: plan.seed,
        }
    }

    /// Takes steps until there were so many, or something is wrong.
    pub fn run(&mut self, steps: u64) {
        let all: u32 = STEPS.iter().map(|(weight, _)| weight).sum();
        let end = self.step + steps;
        while self.step < end && self.violation.is_none() {
            let mut at = self.rng.below(all as usize) as u32;
            let step = STEPS.iter().find(|(weight, _)| {
                let here = at < *weight;
                at = at.wrapping_sub(if here { 0 } else { *weight });
                here
            });
            // What is not possible now is no step.
            if let Some(what) = step.and_then(|(_, step)| step(self)) {
                self.step += 1;
                self.tally.note(what);
            }
        }
    }

    pub fn pass(&mut self) -> Option<What> {
        let longest = if self.rng.chance(4) { 9_000 } else { 900 };
        self.now += self.rng.between(1, longest);
        self.promises.pass_time(self.now);
        Some(What::Passes)
    }

    /// Something is wrong.
    pub fn accuse(&mut self, key: usize, node: usize, wrong: &str) {
        if self.violation.is_some() {
            return;
        }
        let told = self.trace.of(key, node);
        let (seed, step) = (self.seed, self.step);
        self.violation =
            Some(format!("seed {seed}, step {step}, node {node}, key {key}: {wrong}\n{told}"));
    }
}
