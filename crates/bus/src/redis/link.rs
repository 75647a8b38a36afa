//! The connection as long as there is one, and what this process knows of the log.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use redis::{FromRedisValue, PushInfo, PushKind, RedisError, ScriptInvocation, Value};
use tokio::sync::watch;
use tokio::time::Instant;
use wire::Seq;
use wire::invalidation::{Heartbeat, LogPosition};

use super::connect::{ANSWER, Connection};
use super::replies;
use super::roster::{Asked, Roster};
use super::scripts::{Keys, Scripts};
use crate::changes::Changes;
use crate::log::Page;
use crate::{BusError, Member, Sighting};

/// Most entries in one page.
pub(super) const PAGE: usize = 256;

/// Most nodes.
const MEMBERS: usize = 10_000;

pub(super) struct Link {
    keys: Keys,
    scripts: Scripts,
    /// Raised when there may be entries, and when the connection comes or goes.
    log_wake: watch::Sender<u64>,
    /// Raised when acknowledgements or members may have changed.
    change_wake: watch::Sender<u64>,
    /// Until when anybody cares for that.
    interest: watch::Sender<Option<Instant>>,
    /// Which connection is in use, by number; `None` while there is none.
    current: watch::Sender<Option<u64>>,
    state: Mutex<State>,
    start: Instant,
}

struct State {
    connection: Option<Connection>,
    number: u64,
    /// Why there is no connection.
    reason: String,
    end: Option<LogPosition>,
    roster: Roster,
}

impl Link {
    pub(super) fn new(prefix: String) -> Self {
        Self {
            keys: Keys::new(&prefix),
            scripts: Scripts::new(),
            log_wake: watch::Sender::new(0),
            change_wake: watch::Sender::new(0),
            interest: watch::Sender::new(None),
            current: watch::Sender::new(None),
            state: Mutex::new(State {
                connection: None,
                number: 0,
                reason: "not connected yet".into(),
                end: None,
                roster: Roster::default(),
            }),
            start: Instant::now(),
        }
    }

    pub(super) fn keys(&self) -> &Keys {
        &self.keys
    }

    pub(super) fn scripts(&self) -> &Scripts {
        &self.scripts
    }

    pub(super) fn log_wake(&self) -> watch::Receiver<u64> {
        self.log_wake.subscribe()
    }

    pub(super) fn interest(&self) -> watch::Receiver<Option<Instant>> {
        self.interest.subscribe()
    }

    /// Follows which connection is in use.
    pub(super) fn current(&self) -> watch::Receiver<Option<u64>> {
        self.current.subscribe()
    }

    pub(super) fn changes(&self) -> Changes {
        Changes::new(self.change_wake.subscribe(), Some(self.interest.clone()))
    }

    pub(super) fn end(&self) -> Option<LogPosition> {
        self.state.lock().end.clone()
    }

    pub(super) fn connected(&self) -> bool {
        self.current.borrow().is_some()
    }

    /// Takes a connection into use.
    pub(super) fn up(&self, number: u64, connection: Connection) {
        {
            let mut state = self.state.lock();
            state.connection = Some(connection);
            state.number = number;
        }
        self.current.send_replace(Some(number));
        self.wake();
    }

    /// Gives a connection up, if it is still the one in use.
    pub(super) fn down(&self, number: u64, reason: &str) {
        {
            let mut state = self.state.lock();
            if state.number != number || state.connection.is_none() {
                return;
            }
            state.connection = None;
            reason.clone_into(&mut state.reason);
        }
        tracing::warn!(reason, "the invalidation log is away");
        self.current.send_replace(None);
        self.wake();
    }

    /// Remembers why there is no connection. `true`: that is news.
    pub(super) fn explain(&self, reason: &str) -> bool {
        let mut state = self.state.lock();
        let news = state.reason != reason;
        reason.clone_into(&mut state.reason);
        news
    }

    /// Takes what Redis says unasked.
    pub(super) fn hear(&self, number: u64, info: &PushInfo) {
        match info.kind {
            PushKind::Message => match info.data.first() {
                Some(Value::BulkString(channel)) if channel == self.keys.changes.as_bytes() => {
                    self.change_wake.send_modify(|n| *n += 1);
                }
                _ => self.log_wake.send_modify(|n| *n += 1),
            },
            PushKind::Disconnection => self.down(number, "the connection was closed"),
            _ => {}
        }
    }

    /// Wakes everybody: something may have been missed.
    pub(super) fn wake(&self) {
        self.log_wake.send_modify(|n| *n += 1);
        self.change_wake.send_modify(|n| *n += 1);
    }

    /// Has Redis do something. A connection that does not answer in time is given up.
    pub(super) async fn call<T: FromRedisValue>(
        &self,
        call: &ScriptInvocation<'_>,
    ) -> Result<T, BusError> {
        let (number, mut connection) = {
            let state = self.state.lock();
            match &state.connection {
                Some(connection) => (state.number, connection.clone()),
                None => return Err(BusError::Away(state.reason.clone())),
            }
        };
        match tokio::time::timeout(ANSWER, connection.call(call)).await {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) => {
                let reason = error.to_string();
                if is_final(&error) {
                    self.down(number, &reason);
                }
                Err(BusError::Away(reason))
            }
            Err(_) => {
                self.down(number, "no answer in time");
                Err(BusError::Away("no answer in time".into()))
            }
        }
    }

    /// Subscribes to a channel, or ends that, on the connection in use.
    pub(super) async fn listen(&self, channel: &str, on: bool) -> Result<(), BusError> {
        let Some(mut connection) = self.state.lock().connection.clone() else {
            return Err(BusError::Away("not connected".into()));
        };
        let done = async {
            if on {
                connection.subscribe(channel).await
            } else {
                connection.unsubscribe(channel).await
            }
        };
        match tokio::time::timeout(ANSWER, done).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(BusError::Away(error.to_string())),
            Err(_) => Err(BusError::Away("no answer in time".into())),
        }
    }

    /// At most `most` entries after `after`.
    pub(super) async fn page(&self, after: Seq, most: usize) -> Result<Page, BusError> {
        let mut call = self.scripts.look.prepare_invoke();
        call.key(&self.keys.log)
            .key(&self.keys.epoch)
            .arg(after.to_string())
            // One more, for the entry at `after` itself.
            .arg(most + 1)
            .arg(crate::embedded::new_epoch());
        let page = replies::page(self.call(&call).await?, after)?;
        let end = LogPosition { epoch: page.epoch.clone(), seq: page.last };
        self.state.lock().end = Some(end);
        Ok(page)
    }

    /// An entry was appended at `position`.
    pub(super) fn reached(&self, position: &LogPosition) {
        let mut state = self.state.lock();
        let newer = state
            .end
            .as_ref()
            .is_none_or(|end| end.epoch != position.epoch || end.seq < position.seq);
        if newer {
            state.end = Some(position.clone());
        }
    }

    pub(super) async fn beat(&self, beat: &Heartbeat) -> Result<(), BusError> {
        let mut call = self.scripts.beat.prepare_invoke();
        call.key(&self.keys.nodes)
            .key(&self.keys.left)
            .arg(&beat.node)
            .arg(replies::json(beat)?)
            .arg(MEMBERS)
            .arg(&self.keys.changes);
        match self.call::<i64>(&call).await? {
            0 => Err(BusError::Refused("too many nodes are members".into())),
            _ => Ok(()),
        }
    }

    pub(super) async fn members(&self) -> Result<Vec<Member>, BusError> {
        let mut call = self.scripts.members.prepare_invoke();
        call.key(&self.keys.nodes).key(&self.keys.left);
        let (before, at) = (self.state.lock().number, self.start.elapsed());
        let (now, listed, left) = replies::members(self.call(&call).await?)?;
        let (members, restore) = {
            let mut state = self.state.lock();
            // When the connection changed meanwhile, it is not known which one answered: as if none had.
            let connection = if state.number == before { before } else { 0 };
            let asked = Asked { at, answered: self.start.elapsed(), connection };
            state.roster.take(now, listed, &left, asked)
        };
        for some in restore.chunks(PAGE) {
            tracing::info!(nodes = some.len(), "redis forgot nodes and is reminded of them");
            let mut call = self.scripts.restore.prepare_invoke();
            call.key(&self.keys.nodes).key(&self.keys.left);
            for Member { beat, silent, .. } in some {
                call.arg(&beat.node).arg(silent.as_millis().to_string()).arg(replies::json(beat)?);
            }
            let _done: i64 = self.call(&call).await?;
        }
        Ok(members)
    }

    pub(super) async fn observe(
        &self,
        observer: &str,
        report: &str,
        keep: Duration,
        most: usize,
    ) -> Result<Vec<Sighting>, BusError> {
        let mut call = self.scripts.observe.prepare_invoke();
        call.key(&self.keys.observers)
            .arg(observer)
            .arg(report)
            .arg(keep.as_millis().to_string())
            .arg(most);
        let found = replies::sightings(self.call(&call).await?)?;
        found.ok_or_else(|| BusError::Refused("too many observers".into()))
    }

    pub(super) async fn leave(&self, node: &str) -> Result<bool, BusError> {
        let mut call = self.scripts.leave.prepare_invoke();
        call.key(&self.keys.nodes).key(&self.keys.left).arg(node).arg(&self.keys.changes);
        let was_there: i64 = self.call(&call).await?;
        let was_known = self.state.lock().roster.remove(node);
        Ok(was_there == 1 || was_known)
    }
}

impl std::fmt::Debug for Link {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Link").field("keys", &self.keys).finish_non_exhaustive()
    }
}

/// Whether nothing more can be expected of the connection. A server that is out of memory, for one, can
/// still be read.
fn is_final(error: &RedisError) -> bool {
    // This one is a replica by now, or wants a password that it did not want before.
    let elsewhere = matches!(error.code(), Some("READONLY" | "NOAUTH" | "MASTERDOWN"));
    elsewhere || error.is_io_error() || error.is_timeout() || error.is_unrecoverable_error()
}

/// What [`Link::hear`] needs, without keeping the link alive.
pub(super) fn ear(link: &Arc<Link>, number: u64) -> super::connect::Hear {
    let link = Arc::downgrade(link);
    Arc::new(move |info| {
        if let Some(link) = link.upgrade() {
            link.hear(number, &info);
        }
    })
}
