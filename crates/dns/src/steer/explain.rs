//! Where a client would go, and why the others would not get it.

use super::order::{Order, Wish, admission};
use super::{PopState, SideView, choose};
use crate::fleet::{Family, Pool};
use crate::place::{Client, Database, PlaceSource, Spot};

/// Why a PoP is in an answer or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is in the answer.
    Chosen,
    /// Others suit the client better.
    Later,
    /// It takes but a share of its clients, and not this one.
    NotAdmitted,
    /// It has no address of the family; whoever lists the PoPs of both families says so.
    NoAddress,
    /// It gets nobody: it is not well, in maintenance, or has no weight.
    Out,
}

impl Verdict {
    /// A stable token for `/where`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Chosen => "chosen",
            Self::Later => "later",
            Self::NotAdmitted => "not-admitted",
            Self::NoAddress => "no-address",
            Self::Out => "out",
        }
    }
}

/// A PoP as a client's answer sees it.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidate {
    /// The PoP.
    pub pop: String,
    /// How far it is from the client, where both places are known.
    pub kilometres: Option<f64>,
    /// What is known of it.
    pub state: PopState,
    /// Its share among equals.
    pub weight: u32,
    /// The share of its clients that it gets, 0 to 1.
    pub share: f64,
    /// It has been out of all answers for as long as they may be remembered.
    pub quiet: bool,
    /// What became of it.
    pub verdict: Verdict,
}

/// Where a client would go.
#[derive(Clone, Debug, PartialEq)]
pub struct Explanation {
    /// From where its place is known.
    pub source: PlaceSource,
    /// Its place, if it is known: the client's own, or that of what stands for it.
    pub spot: Option<Spot>,
    /// The country that the database says, if it was asked.
    pub country: Option<String>,
    /// How many bits of its address matter.
    pub bits: u8,
    /// All PoPs with an address of the family, in the order in which they suit the client; those that are out last.
    pub candidates: Vec<Candidate>,
}

/// Says what [`choose`] would choose, and why.
#[must_use]
pub fn explain(
    pool: &Pool,
    family: Family,
    view: &SideView,
    client: &Client,
    database: Option<&Database>,
) -> Explanation {
    let side = pool.side(family);
    let choice = choose(pool, family, view, client, database);
    let wish = Wish::new(pool, family, client, database);
    let hash = client.hash(client.hash_bits());
    let mut order: Vec<usize> = Order::new(side, view, &wish, hash).collect();
    let open = order.len();
    order.extend(
        (0..side.targets.len()).filter(|nth| !order[..open].contains(nth)).collect::<Vec<_>>(),
    );
    let candidate = |(at, nth): (usize, usize)| {
        let (target, standing) = (&side.targets[nth], &view.standings[nth]);
        let verdict = if choice.picked().iter().any(|picked| usize::from(*picked) == nth) {
            Verdict::Chosen
        } else if at >= open {
            Verdict::Out
        } else if standing.takes(admission(hash, side, nth)) {
            Verdict::Later
        } else {
            Verdict::NotAdmitted
        };
        Candidate {
            pop: target.name.clone(),
            kilometres: wish.spot.zip(target.spot).map(|(here, there)| here.kilometres(&there)),
            state: standing.state,
            weight: target.weight,
            share: standing.share(),
            quiet: standing.quiet,
            verdict,
        }
    };
    Explanation {
        source: choice.source,
        spot: wish.spot,
        country: wish.place.country.map(str::to_owned),
        bits: choice.bits,
        candidates: order.into_iter().enumerate().map(candidate).collect(),
    }
}
