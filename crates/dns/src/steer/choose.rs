//! The PoPs of one answer.

use super::order::{Order, Wish, admission, race};
use super::{SideView, Standing};
use crate::fleet::{Family, Pool, Side};
use crate::place::{Client, Database, PlaceSource};

const MOST: usize = wire::zones::MAX_ANSWERS as usize;

/// The PoPs of one answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Choice {
    picked: [u16; MOST],
    len: u8,
    /// From where the client's place is known.
    pub source: PlaceSource,
    /// All clients whose first so many bits are the same get the same.
    pub bits: u8,
}

impl Choice {
    const NONE: Self = Self { picked: [0; MOST], len: 0, source: PlaceSource::Needless, bits: 0 };

    /// Their places among the side's targets, the best first.
    #[must_use]
    pub fn picked(&self) -> &[u16] {
        &self.picked[..usize::from(self.len)]
    }

    fn push(&mut self, nth: usize) {
        self.picked[usize::from(self.len)] = nth as u16;
        self.len += 1;
    }
}

/// Chooses PoPs for a client. Nothing only where the pool has no address of the family.
#[must_use]
pub fn choose(
    pool: &Pool,
    family: Family,
    view: &SideView,
    client: &Client,
    database: Option<&Database>,
) -> Choice {
    let side = pool.side(family);
    let mut choice = Choice::NONE;
    if side.targets.len() <= 1 {
        if !side.targets.is_empty() {
            choice.push(0);
        }
        return choice;
    }
    let wish = Wish::new(pool, family, client, database);
    let hash = client.hash(client.hash_bits());
    let want = usize::try_from(pool.steering.answers).unwrap_or(MOST).clamp(1, MOST);
    let mut order = Order::new(side, view, &wish, hash);
    let mut hashed = false;
    while choice.picked().len() < want {
        let Some(nth) = order.next() else { break };
        let standing = &view.standings[nth];
        hashed |= !standing.takes_all();
        if standing.takes(admission(hash, side, nth)) {
            choice.push(nth);
        }
    }
    if choice.len == 0 {
        choice.push(overflow(side, &view.standings, hash, |_| true).unwrap_or(0));
        hashed = true;
    }
    choice.source = wish.source;
    choice.bits = wish.bits;
    if hashed || order.hashed {
        choice.bits = choice.bits.max(client.hash_bits());
    }
    choice
}

/// The one PoP of those that fit that suits a client best, and from where its place is known; by the same rules as
/// [`choose`].
#[must_use]
pub fn nearest(
    pool: &Pool,
    family: Family,
    view: &SideView,
    client: &Client,
    database: Option<&Database>,
    fits: impl Fn(usize) -> bool,
) -> Option<(usize, PlaceSource)> {
    let side = pool.side(family);
    let wish = Wish::new(pool, family, client, database);
    let hash = client.hash(client.hash_bits());
    let mut order = Order::new(side, view, &wish, hash).filter(|nth| fits(*nth));
    let taken = order.find(|nth| view.standings[*nth].takes(admission(hash, side, *nth)));
    let found = taken.or_else(|| overflow(side, &view.standings, hash, &fits))?;
    Some((found, wish.source))
}

/// Who gets a client that nobody took: one of those who take any, in proportion to what they take.
fn overflow(
    side: &Side,
    standings: &[Standing],
    client: u64,
    fits: impl Fn(usize) -> bool,
) -> Option<usize> {
    let open =
        (0..side.targets.len()).filter(|nth| standings.get(*nth).is_some_and(Standing::is_open));
    open.filter(|nth| fits(*nth))
        .map(|nth| (race(client, side, nth, standings[nth].share()), nth))
        .min_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, nth)| nth)
}
