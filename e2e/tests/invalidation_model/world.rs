//! The world: what there is, and its steps, taken at random.

use http::HeaderMap;
use upstream::ring::hash_key;

use crate::fetch::{Fetch, Filling};
use crate::log::Log;
use crate::node::Node;
use crate::promise::Promises;
use crate::rng::Rng;
use crate::rules::{Broken, Plan, Tally, What};
use crate::sender::{Kept, SENDERS};
use crate::serve::Request;
use crate::site::{KEYS, Origin, key_of};
use crate::squall::Focus;
use crate::trace::Trace;
use crate::view::{Card, Fleet};

/// Or one more.
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
    /// Edges of one place share what they store.
    pub peers: bool,
    pub fleet: Fleet,
    pub requests: Vec<Request>,
    pub fetches: Vec<Fetch>,
    pub fills: Vec<Filling>,
    pub kept: Vec<Kept>,
    /// Senders that cannot reach the log.
    pub senders_cut: [bool; SENDERS],
    /// A node is to leave at this step.
    pub goodbye: Option<(u64, usize)>,
    pub focus: Option<Focus>,
    /// Bans that can be lifted.
    pub lifts: Vec<String>,
    pub promises: Promises,
    pub orders: u64,
    pub ids: u64,
    pub tally: Tally,
    pub trace: Trace,
    pub keys: Vec<Vec<u8>>,
    /// Where each key stands on every ring.
    pub hashes: Vec<u64>,
    pub fields: HeaderMap,
    /// What went wrong first.
    pub violation: Option<String>,
    seed: u64,
}

type Step = fn(&mut World) -> Option<What>;

/// How often each step is tried, in parts of all together: in a calm world, and in a stormy one.
const STEPS: &[(u32, u32, Step)] = &[
    (1_200, 1_200, World::arrive),
    (1_300, 1_300, World::look),
    (600, 600, World::poll),
    (700, 700, World::send),
    (800, 800, World::reach),
    (800, 800, World::take_back),
    (300, 300, World::append),
    (700, 700, World::finish),
    (40, 40, World::abort),
    (15, 20, World::change),
    (100, 100, World::publish),
    (10, 10, World::lift),
    (1_500, 1_500, World::read),
    (700, 700, World::acknowledge),
    (900, 900, World::beat),
    (900, 900, World::judge),
    (350, 350, World::pass),
    (200, 200, World::sweep),
    (30, 30, World::forget),
    (8, 10, World::cut),
    (16, 20, World::heal),
    (4, 4, World::cut_sender),
    (20, 20, World::heal_senders),
    (3, 3, World::restart),
    (2, 3, World::leave),
    (25, 25, World::start),
    (5, 5, World::fail_over),
    (2, 2, World::restart_log),
    (5, 5, World::trim),
    (3, 3, World::garble),
    (25, 25, World::fail),
    (15, 15, World::depart),
    (4, 16, World::squall),
    (6, 6, World::rift),
    (8, 10, World::regroup),
    (60, 60, World::learn),
    (150, 100, World::probe),
    (10, 20, World::doubt),
];

impl World {
    pub fn new(plan: &Plan) -> Self {
        let mut rng = Rng::new(plan.seed);
        let (edges, shields) = (EDGES + usize::from(rng.chance(25)), 1 + rng.below(2));
        let pops = 1 + usize::from(rng.chance(30));
        let peers = rng.chance(80);
        let of = |n| Card::new(n, n >= edges, n % pops);
        let fleet = Fleet::new((0..edges + shields).map(of).collect());
        let keys: Vec<_> = (0..KEYS).map(key_of).collect();
        let hashes = keys.iter().map(|key| hash_key(key)).collect();
        let nodes: Vec<_> = (0..edges + shields).map(|n| Node::new(n, &fleet, &mut rng)).collect();
        Self {
            broken: plan.broken,
            rng,
            step: 0,
            now: 0,
            origin: Origin::new(),
            log: Log::new(nodes.len()),
            nodes,
            peers,
            fleet,
            requests: Vec::new(),
            fetches: Vec::new(),
            fills: Vec::new(),
            kept: Vec::new(),
            senders_cut: [false; SENDERS],
            goodbye: None,
            focus: None,
            lifts: Vec::new(),
            promises: Promises::default(),
            orders: 0,
            ids: 0,
            tally: Tally::new(),
            trace: Trace::new(),
            keys,
            hashes,
            fields: HeaderMap::new(),
            violation: None,
            seed: plan.seed,
        }
    }

    /// Takes steps until there were so many, or something is wrong.
    pub fn run(&mut self, steps: u64) {
        let storm = self.seed.is_multiple_of(2);
        let weight = |(calm, stormy, _): &(u32, u32, Step)| if storm { *stormy } else { *calm };
        let all: u32 = STEPS.iter().map(weight).sum();
        let end = self.step + steps;
        while self.step < end && self.violation.is_none() {
            let mut at = self.rng.below(all as usize) as u32;
            let step = STEPS.iter().find(|step| {
                let here = at < weight(step);
                at -= if here { 0 } else { weight(step) };
                here
            });
            // What is not possible now is no step.
            if let Some(what) = step.and_then(|(_, _, step)| step(self)) {
                self.step += 1;
                self.tally.note(what);
            }
            self.reunite();
            self.part();
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
