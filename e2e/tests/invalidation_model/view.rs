//! What a node thinks of who is there: the rings it knows, whom it holds for dead, and who came lately. No
//! two nodes need think the same.

use std::time::Duration;

use upstream::ring::{HashRing, Ramp, Standing};
use wire::fleet::Member;

/// Milliseconds until a newcomer has all its keys.
pub const RAMP: u64 = 60_000;
/// So many of those it asks the previous owner for what it lacks.
const INHERITS: u64 = 4;
/// Points enough for twelve keys.
const WEIGHT: u32 = 3;
/// A quarter above the average; nobody has anything in hand here.
const BOUND: u32 = 125;

/// The document that says who is there.
pub struct Fleet {
    pub version: u64,
    pub members: Vec<bool>,
    cards: Vec<Card>,
}

/// How a node is written down in it.
pub struct Card {
    pub name: String,
    pub shield: bool,
    pub pop: usize,
}

/// Which ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    Shields,
    /// The edges of the node's own point of presence.
    Peers,
}

pub struct View {
    /// The document it is of.
    pub version: u64,
    /// Counts whatever changed.
    pub changes: u64,
    members: Vec<bool>,
    pub down: Vec<bool>,
    /// When a node came or came back, as far as this one saw.
    came: Vec<Option<u64>>,
    shields: Ring,
    peers: Ring,
}

struct Ring {
    ring: HashRing,
    /// The node at each place.
    nodes: Vec<usize>,
}

impl Card {
    pub fn new(number: usize, shield: bool, pop: usize) -> Self {
        let name = format!("{}{number}", if shield { "shield" } else { "edge" });
        Self { name, shield, pop }
    }
}

impl Fleet {
    pub fn card(&self, at: usize) -> &Card {
        &self.cards[at]
    }

    pub fn new(cards: Vec<Card>) -> Self {
        Self { version: 0, members: vec![true; cards.len()], cards }
    }

    fn shields(&self) -> Ring {
        self.ring(|card| card.shield)
    }

    /// The edges of this one's place, with it.
    fn peers(&self, of: usize) -> Ring {
        self.ring(|card| !card.shield && card.pop == self.cards[of].pop)
    }

    fn ring(&self, wanted: impl Fn(&Card) -> bool) -> Ring {
        let is_in = |at: &usize| self.members[*at] && wanted(&self.cards[*at]);
        let mut nodes: Vec<_> = (0..self.cards.len()).filter(is_in).collect();
        nodes.sort_by(|a, b| self.cards[*a].name.cmp(&self.cards[*b].name));
        let member = |at: &usize| Member {
            name: self.cards[*at].name.clone(),
            url: "http://model:80".into(),
            weight: WEIGHT,
            pop: None,
            public: None,
        };
        let members: Vec<_> = nodes.iter().map(member).collect();
        Ring { ring: HashRing::new(&members), nodes }
    }
}

impl View {
    /// Of a node at this place, by the document as it is now.
    pub fn new(fleet: &Fleet, at: usize) -> Self {
        let count = fleet.cards.len();
        Self {
            version: fleet.version,
            changes: 0,
            members: fleet.members.clone(),
            down: vec![false; count],
            came: vec![None; count],
            shields: fleet.shields(),
            peers: fleet.peers(at),
        }
    }

    /// Takes the newest document: whoever is in it that was not before is new.
    pub fn learn(&mut self, fleet: &Fleet, at: usize, now: u64) {
        let members = fleet.members.iter().zip(&self.members).zip(&mut self.came);
        for ((is, was), came) in members {
            if *is && !was {
                *came = Some(now);
            }
        }
        self.version = fleet.version;
        self.members.clone_from(&fleet.members);
        self.changes += 1;
        (self.shields, self.peers) = (fleet.shields(), fleet.peers(at));
    }

    /// It holds a node for dead from now on, or for alive again.
    pub fn doubt(&mut self, of: usize, dead: bool, now: u64) {
        if self.down[of] && !dead {
            self.came[of] = Some(now);
        }
        self.changes += u64::from(self.down[of] != dead);
        self.down[of] = dead;
    }

    /// A node is new here: also this one itself.
    pub fn came(&mut self, of: usize, now: u64) {
        self.came[of] = Some(now);
    }

    /// Whether a node came so short a while ago that it asks for what others had before.
    pub fn inherits(&self, of: usize, now: u64) -> bool {
        self.came[of].is_some_and(|since| now.saturating_sub(since) < RAMP * INHERITS)
    }

    /// Who takes a key, but for those in `tried`.
    pub fn pick(&self, which: Which, hash: u64, now: u64, tried: u32) -> Option<usize> {
        let Ring { ring, nodes } = self.ring(which);
        let dead = |of: usize| self.down[of] || tried & (1 << of) != 0;
        let cold = |of: usize| {
            self.came[of].is_some_and(|since| !ramp(since).takes(hash, Duration::from_millis(now)))
        };
        let ramped = ring.pick(hash, BOUND, |place| match nodes[place] {
            of if dead(of) => Standing::Down,
            of if cold(of) => Standing::Warming,
            _ => Standing::Serves(0),
        });
        // Where all are new, nobody is better than the owner.
        let picked = ramped.or_else(|| {
            ring.pick(hash, BOUND, |place| match dead(nodes[place]) {
                true => Standing::Down,
                false => Standing::Serves(0),
            })
        });
        picked.map(|pick| nodes[pick.member])
    }

    /// Who had a key before `at` took it: the next on the ring that it does not hold for dead.
    pub fn before(&self, which: Which, hash: u64, at: usize) -> Option<usize> {
        let Ring { ring, nodes } = self.ring(which);
        let mut successors = ring.successors(hash).map(|place| nodes[place]);
        successors.find(|of| *of != at && !self.down[*of])
    }

    fn ring(&self, which: Which) -> &Ring {
        match which {
            Which::Shields => &self.shields,
            Which::Peers => &self.peers,
        }
    }
}

fn ramp(since: u64) -> Ramp {
    Ramp { since: Duration::from_millis(since), over: Duration::from_millis(RAMP) }
}
