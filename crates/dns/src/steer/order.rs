//! The order in which PoPs suit a client.

use smallvec::SmallVec;

use super::SideView;
use crate::fleet::{Family, Listed, Pool, Side};
use crate::place::{Client, Database, Place, PlaceSource, Spot};

/// Behind all PoPs with a place: the square of a chord is 4 at most.
const PLACELESS: f64 = 5.0;
/// Before all: rules and networks name no more PoPs than that.
const LISTED: f64 = -1_000.0;
/// Not to be taken, or taken already.
const GONE: f64 = f64::INFINITY;

/// What is known of where a client should go.
pub(super) struct Wish<'a> {
    /// These first.
    listed: &'a [u16],
    /// Then the nearest to this.
    pub(super) spot: Option<Spot>,
    /// From where it is known.
    pub(super) source: PlaceSource,
    /// Bits of the client's address that had to be looked at.
    pub(super) bits: u8,
    /// What the database has, if it was asked.
    pub(super) place: Place<'a>,
}

impl<'a> Wish<'a> {
    /// Networks first, then the database and the rules, then nothing.
    pub(super) fn new(
        pool: &'a Pool,
        family: Family,
        client: &Client,
        database: Option<&'a Database>,
    ) -> Self {
        let none = Place::default();
        let places = |listed: &'a Listed| match listed {
            Listed::Pops(sides) => (&sides[family as usize][..], None),
            Listed::At(spot) => (&[][..], Some(*spot)),
        };
        let first = |listed: &[u16]| {
            let targets = &pool.side(family).targets;
            listed.first().and_then(|first| targets.get(usize::from(*first))?.spot)
        };
        let (network, bits) = pool.network(client.address());
        if let Some((listed, spot)) = network.map(places) {
            let source = match spot {
                Some(_) => PlaceSource::NetworkPlace,
                None => PlaceSource::NetworkPops,
            };
            // Should none of the listed be there, whoever is near the best of them is next best.
            let spot = spot.or_else(|| first(listed));
            return Self { listed, spot, source, bits, place: none };
        }
        let Some(found) = database.map(|database| database.find(client.address())) else {
            return Self {
                listed: &[],
                spot: None,
                source: PlaceSource::Unknown,
                bits,
                place: none,
            };
        };
        let (place, bits) = (found.place, bits.max(found.bits));
        let (listed, source) = match pool.rule(&place) {
            Some(listed) => (places(listed).0, PlaceSource::Rule),
            None if place.spot.is_some() => (&[][..], PlaceSource::Database),
            None => (&[][..], PlaceSource::Unknown),
        };
        let spot = place.spot.or_else(|| first(listed));
        Self { listed, spot, source, bits, place }
    }
}

/// Hands out a side's PoPs, the most suitable first, leaving out those that get nobody.
pub(super) struct Order<'a> {
    side: &'a Side,
    /// The less the better.
    ranks: SmallVec<[f64; 64]>,
    client: u64,
    /// Whether the client's hash decided anything.
    pub(super) hashed: bool,
}

impl<'a> Order<'a> {
    pub(super) fn new(side: &'a Side, view: &SideView, wish: &Wish<'_>, client: u64) -> Self {
        let mut ranks: SmallVec<[f64; 64]> = SmallVec::new();
        for (target, standing) in side.targets.iter().zip(&view.standings) {
            ranks.push(match (wish.spot, target.spot) {
                _ if !standing.is_open() => GONE,
                (None, _) => 0.0,
                (Some(_), None) => PLACELESS,
                (Some(spot), Some(there)) => spot.chord(&there),
            });
        }
        for (nth, place) in wish.listed.iter().enumerate() {
            if let Some(rank) = ranks.get_mut(usize::from(*place)).filter(|rank| **rank < GONE) {
                *rank = LISTED + nth as f64;
            }
        }
        Self { side, ranks, client, hashed: false }
    }
}

impl Iterator for Order<'_> {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        let mut least = GONE;
        let mut best = None;
        let mut equals = 0;
        for (nth, rank) in self.ranks.iter().enumerate() {
            if *rank < least {
                (least, best, equals) = (*rank, Some(nth), 1);
            } else if *rank == least && *rank < GONE {
                equals += 1;
            }
        }
        if equals > 1 {
            self.hashed = true;
            best = (0..self.ranks.len())
                .filter(|nth| self.ranks[*nth] == least)
                .map(|nth| (race(self.client, self.side, nth, 1.0), nth))
                .min_by(|a, b| a.0.total_cmp(&b.0))
                .map(|(_, nth)| nth);
        }
        self.ranks[best?] = GONE;
        best
    }
}

/// When a PoP comes in among others, for a client: the first has it. So each gets a share in proportion to its
/// weight and share, and a change of one moves nobody between others (weighted rendezvous hashing).
pub(super) fn race(client: u64, side: &Side, nth: usize, share: f64) -> f64 {
    let target = &side.targets[nth];
    let uniform = ((mix(client ^ target.seed) >> 11) as f64 + 0.5) / 2f64.powi(53);
    -uniform.ln() / (f64::from(target.weight.max(1)) * share)
}

/// Where a client stands among all in the eyes of a PoP that takes but a share of them; independent of the race.
pub(super) fn admission(client: u64, side: &Side, nth: usize) -> u64 {
    mix(client.rotate_left(32) ^ side.targets[nth].seed.wrapping_mul(0x9E37_79B9_7F4A_7C15))
}

/// Spreads a number over all 64 bits (Stafford's thirteenth variant of the finisher of MurmurHash3).
fn mix(mut number: u64) -> u64 {
    number = (number ^ number >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    number = (number ^ number >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
    number ^ number >> 31
}
