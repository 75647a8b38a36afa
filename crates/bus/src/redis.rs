//! The log in Redis (7.0 or newer, or what speaks like it): a stream, read in pages through
//! [`Reader`](crate::reader::Reader); scripts do in one step what must not be torn apart; Pub/Sub only wakes.
//!
//! Redis may lose what it acknowledged when it fails over. What readers saw is guarded by the chain of
//! entries and by ids that are never given out twice; what they did not see, by the sender, which publishes
//! again. One thing only the operator of Redis can do: a master that is cut off from its replicas must
//! refuse writes (`min-replicas-to-write`), so that nodes on its side of the cut do not take it for the log.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;
use wire::Seq;
use wire::invalidation::{Ack, Heartbeat, Invalidation, LogPosition};

use crate::changes::Changes;
use crate::entry::BanChange;
use crate::log::Page;
use crate::subscription::{Source, Subscription};
use crate::{Acks, Bus, BusError, Later, Member, Sighting, entry};

mod connect;
mod link;
mod place;
mod replies;
mod roster;
mod scripts;
mod watch;

pub use place::{BadUrl, url_in};

use link::Link;
use place::Place;

/// Most bytes of one order.
const ORDER_BYTES: usize = 1 << 20;

/// Most acknowledgements told in one step.
const ACKS: usize = 256;

/// Where the log is and what it may keep.
#[derive(Clone)]
pub struct RedisSettings {
    /// `redis://[user:password@]host[:port][/db]`, `rediss://…` with TLS,
    /// `redis+sentinel://[user:password@]host[:port],…/master[/db]`,
    /// `redis+cluster://[user:password@]host[:port],…`, these two also as `rediss+…`. Never shown.
    pub url: String,
    /// The head of every key and channel: several logs may share a Redis.
    pub prefix: String,
    /// Most entries kept.
    pub length: usize,
    /// How long entries are kept.
    pub age: Duration,
    /// Certificates (PEM) to trust with TLS, instead of the well-known ones.
    pub ca: Option<PathBuf>,
}

impl Default for RedisSettings {
    fn default() -> Self {
        Self {
            url: "redis://127.0.0.1:6379".into(),
            prefix: "blue-origin".into(),
            length: 100_000,
            age: Duration::from_secs(24 * 3600),
            ca: None,
        }
    }
}

impl std::fmt::Debug for RedisSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { url: _, prefix, length, age, ca } = self;
        f.debug_struct("RedisSettings")
            .field("url", &"(not shown)")
            .field("prefix", prefix)
            .field("length", length)
            .field("age", age)
            .field("ca", ca)
            .finish()
    }
}

/// One process's line to a log in Redis.
#[derive(Debug)]
pub struct RedisBus {
    link: Arc<Link>,
    length: usize,
    age: Duration,
    watch: JoinHandle<()>,
}

impl RedisBus {
    /// Connects in the background, again and again; must be called inside a tokio runtime.
    ///
    /// # Errors
    /// [`BadUrl`] when the URL or the certificates cannot be read. A Redis that is not there is none.
    pub fn connect(settings: RedisSettings) -> Result<Self, BadUrl> {
        let RedisSettings { url, prefix, length, age, ca } = settings;
        let place = Place::parse(&url, ca.as_deref())?;
        let link = Arc::new(Link::new(prefix));
        let watch = tokio::spawn(watch::run(Arc::clone(&link), place));
        Ok(Self { link, length: length.max(1), age, watch })
    }

    /// Leaves the report of `observer` for the others of the log, for `keep`, and gives what all of them said before,
    /// itself included. At most `most` observers may be there. What they say is none of the log's business.
    ///
    /// # Errors
    /// [`BusError::Away`]; then the report arrived or not. [`BusError::Refused`] when there are too many.
    pub async fn observe(
        &self,
        observer: &str,
        report: &str,
        keep: Duration,
        most: usize,
    ) -> Result<Vec<Sighting>, BusError> {
        self.link.observe(observer, report, keep, most).await
    }

    async fn append(&self, order: &Invalidation) -> Result<LogPosition, BusError> {
        let text = entry::write(order, ORDER_BYTES)?;
        let keys = self.link.keys();
        let mut call = self.link.scripts().append.prepare_invoke();
        call.key(&keys.log)
            .key(&keys.epoch)
            .key(&keys.bans)
            .arg(text)
            .arg(crate::embedded::new_epoch())
            .arg(getrandom::u32().unwrap_or_default())
            .arg(self.length)
            .arg(self.age.as_millis().to_string())
            .arg(&keys.acks)
            .arg(&keys.wake);
        match entry::ban(order) {
            Some(BanChange::Ordered { id, ttl_ms }) => call.arg(id).arg(ttl_ms),
            Some(BanChange::Lifted { id }) => call.arg(id).arg(0),
            None => &mut call,
        };
        let (epoch, seq): (String, String) = self.link.call(&call).await?;
        let position = LogPosition { epoch, seq: replies::seq(&seq)? };
        self.link.reached(&position);
        Ok(position)
    }

    async fn tell(&self, epoch: &str, acks: &[Ack]) -> Result<(), BusError> {
        let keys = self.link.keys();
        for some in acks.chunks(ACKS) {
            let mut call = self.link.scripts().acknowledge.prepare_invoke();
            call.key(&keys.log).key(&keys.epoch);
            call.arg(epoch).arg(self.age.as_millis().to_string()).arg(&keys.changes);
            for ack in some {
                call.key(keys.acks_of(epoch, ack.seq));
                call.arg(ack.seq.to_string()).arg(&ack.node).arg(replies::json(ack)?);
            }
            let _noted: i64 = self.link.call(&call).await?;
        }
        Ok(())
    }

    async fn in_force(&self) -> Result<Vec<String>, BusError> {
        let mut call = self.link.scripts().bans.prepare_invoke();
        call.key(&self.link.keys().bans);
        self.link.call(&call).await
    }

    async fn ask(&self, at: &[LogPosition]) -> Result<Vec<Acks>, BusError> {
        let keys = self.link.keys();
        let mut all = Vec::with_capacity(at.len());
        for some in at.chunks(ACKS) {
            let mut call = self.link.scripts().acks.prepare_invoke();
            call.key(&keys.log).key(&keys.epoch);
            for position in some {
                call.key(keys.acks_of(&position.epoch, position.seq));
                call.arg(&position.epoch).arg(position.seq.to_string());
            }
            all.extend(replies::acks(self.link.call(&call).await?, some.len())?);
        }
        Ok(all)
    }
}

impl Drop for RedisBus {
    fn drop(&mut self) {
        self.watch.abort();
    }
}

impl Source for Link {
    fn look(self: Arc<Self>, after: Seq) -> Later<'static, Result<Page, BusError>> {
        Box::pin(async move { self.page(after, link::PAGE).await })
    }
}

impl Bus for RedisBus {
    fn publish<'a>(&'a self, order: &'a Invalidation) -> Later<'a, Result<LogPosition, BusError>> {
        Box::pin(self.append(order))
    }

    fn subscribe(&self, from: Option<LogPosition>) -> Subscription {
        let link: Arc<Link> = Arc::clone(&self.link);
        let wake = link.log_wake();
        Subscription::new(link, wake, from)
    }

    fn end(&self) -> Option<LogPosition> {
        self.link.end()
    }

    fn connected(&self) -> bool {
        self.link.connected()
    }

    fn heartbeat<'a>(&'a self, beat: &'a Heartbeat) -> Later<'a, Result<(), BusError>> {
        Box::pin(self.link.beat(beat))
    }

    fn members<'a>(&'a self) -> Later<'a, Result<Vec<Member>, BusError>> {
        Box::pin(self.link.members())
    }

    fn leave<'a>(&'a self, node: &'a str) -> Later<'a, Result<bool, BusError>> {
        Box::pin(self.link.leave(node))
    }

    fn acknowledge<'a>(
        &'a self,
        epoch: &'a str,
        acks: &'a [Ack],
    ) -> Later<'a, Result<(), BusError>> {
        Box::pin(self.tell(epoch, acks))
    }

    fn acks<'a>(&'a self, at: &'a [LogPosition]) -> Later<'a, Result<Vec<Acks>, BusError>> {
        Box::pin(self.ask(at))
    }

    fn bans(&self) -> Later<'_, Result<Vec<String>, BusError>> {
        Box::pin(self.in_force())
    }

    fn changes(&self) -> Changes {
        self.link.changes()
    }
}
