//! Clients of all places that ask all the time.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior};

use super::{BUCKET, PLACES};
use crate::client::HOST;
use crate::dns::ask;

/// Networks of clients of a place.
const NETWORKS: u8 = 64;
/// Clients beside each other, and between two questions of one.
const CLIENTS: u8 = 8;
const PAUSE: Duration = Duration::from_millis(20);
/// A question without an answer for so long failed.
const PATIENCE: Duration = Duration::from_secs(2);

/// What went wrong.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wrong {
    /// Answers without an address.
    pub empty: u64,
    /// Errors, such as SERVFAIL.
    pub errors: u64,
    /// Questions without an answer in time.
    pub timeouts: u64,
}

/// Clients until this is dropped.
pub struct Load {
    state: Arc<Mutex<State>>,
    _clients: JoinSet<()>,
}

#[derive(Default)]
struct State {
    answers: Vec<Sample>,
    wrong: Wrong,
}

#[derive(Clone, Copy)]
struct Sample {
    at: Instant,
    /// Whose client it was.
    place: usize,
    /// The places in the answer, a bit for each.
    has: u8,
    first: usize,
}

impl Load {
    /// Clients that ask the server at `dns`.
    pub fn start(dns: SocketAddr) -> Self {
        let state = Arc::new(Mutex::new(State::default()));
        let mut clients = JoinSet::new();
        for client in 0..CLIENTS {
            clients.spawn(keep_asking(dns, client, Arc::clone(&state)));
        }
        Self { state, _clients: clients }
    }

    /// Answers so far, and what went wrong besides.
    pub fn counts(&self) -> (usize, Wrong) {
        let state = lock(&self.state);
        (state.answers.len(), state.wrong)
    }

    /// When the last answer with a place came.
    pub fn last_with(&self, place: usize) -> Option<Instant> {
        let state = lock(&self.state);
        state.answers.iter().rev().find(|sample| sample.has >> place & 1 == 1).map(|s| s.at)
    }

    /// When the first answer with a place came after `since`.
    pub fn first_with(&self, place: usize, since: Instant) -> Option<Instant> {
        let state = lock(&self.state);
        let mut later = state.answers.iter().filter(|sample| sample.at >= since);
        later.find(|sample| sample.has >> place & 1 == 1).map(|sample| sample.at)
    }

    /// Of the clients of a place, the share that gets it first, in each whole bucket from `since` to now.
    pub fn shares(&self, place: usize, since: Instant) -> Vec<f64> {
        let whole = since.elapsed().as_millis() / BUCKET.as_millis();
        let mut buckets = vec![(0_u32, 0_u32); usize::try_from(whole).unwrap_or_default()];
        let state = lock(&self.state);
        let own = |sample: &&Sample| sample.place == place && sample.at >= since;
        for sample in state.answers.iter().filter(own) {
            let nth = (sample.at - since).as_millis() / BUCKET.as_millis();
            let nth = usize::try_from(nth).unwrap_or(usize::MAX);
            let Some((all, first)) = buckets.get_mut(nth) else { continue };
            *all += 1;
            *first += u32::from(sample.first == place);
        }
        buckets.iter().map(|(all, first)| f64::from(*first) / f64::from((*all).max(1))).collect()
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn keep_asking(dns: SocketAddr, client: u8, state: Arc<Mutex<State>>) {
    let mut tick = tokio::time::interval(PAUSE);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    for nth in 0_usize.. {
        tick.tick().await;
        let place = nth % PLACES.len();
        let of_place = nth / PLACES.len() * usize::from(CLIENTS) + usize::from(client);
        let network = u8::try_from(of_place % usize::from(NETWORKS)).unwrap_or_default();
        let second = u8::try_from(place + 1).unwrap_or_default();
        let answered = ask(dns, HOST, Ipv4Addr::new(10, second, network, 0), PATIENCE).await;
        let at = Instant::now();
        let mut state = lock(&state);
        match answered {
            Err(_) => state.wrong.timeouts += 1,
            Ok(answered) if !answered.is_fine => state.wrong.errors += 1,
            Ok(answered) => {
                let places: Vec<_> = answered.addresses.iter().filter_map(place_of).collect();
                match places.first() {
                    None => state.wrong.empty += 1,
                    Some(first) => {
                        let has = places.iter().fold(0, |has, place| has | 1 << place);
                        state.answers.push(Sample { at, place, has, first: *first });
                    }
                }
            }
        }
    }
}

fn place_of(address: &IpAddr) -> Option<usize> {
    match address {
        IpAddr::V4(v4) => {
            usize::from(v4.octets()[1]).checked_sub(1).filter(|nth| *nth < PLACES.len())
        }
        IpAddr::V6(_) => None,
    }
}
