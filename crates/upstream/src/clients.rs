//! The connections of one worker.

use std::sync::{Arc, Weak};
use std::time::Duration;

use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use parking_lot::Mutex;

use crate::body::RequestBody;
use crate::connect::Connector;
use crate::target::Target;

/// Idle connections that a pool keeps.
const IDLE_CONNECTIONS: usize = 128;
/// Bytes read ahead on one connection: memory that no bound of the store counts.
const READ_BUFFER: usize = 128 << 10;
const IDLE_FOR: Duration = Duration::from_secs(60);
/// The same for requests that cannot be sent again. Servers close what was idle for some seconds (Node.js and Apache after
/// 5, gunicorn after 2), and a request that meets that on its way is lost.
const BRIEFLY_IDLE: Duration = Duration::from_secs(1);

pub(crate) type HttpClient = Client<Connector, RequestBody>;

/// The connections of one worker, which belong to its runtime: two pools for each target that it was used
/// for.
#[derive(Default)]
pub struct Clients {
    known: Mutex<Vec<Known>>,
}

struct Known {
    target: Weak<Target>,
    /// For what can be sent again.
    patient: HttpClient,
    /// For what cannot.
    careful: HttpClient,
}

impl Known {
    fn client(&self, repeatable: bool) -> HttpClient {
        if repeatable { self.patient.clone() } else { self.careful.clone() }
    }
}

impl Clients {
    /// Without a connection yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The pool for requests to `target` that can be sent again, or cannot.
    pub(crate) fn of(&self, target: &Arc<Target>, repeatable: bool) -> HttpClient {
        let mut known = self.known.lock();
        let found = known.iter().find(|k| std::ptr::eq(k.target.as_ptr(), Arc::as_ptr(target)));
        if let Some(found) = found {
            return found.client(repeatable);
        }
        // Pools of targets that are gone close their idle connections by themselves; what is left of
        // them is little, so it is enough to forget them when the next one comes.
        known.retain(|k| k.target.strong_count() > 0);
        let new = Known {
            target: Arc::downgrade(target),
            patient: pool(target, IDLE_FOR),
            careful: pool(target, BRIEFLY_IDLE),
        };
        let client = new.client(repeatable);
        known.push(new);
        client
    }
}

fn pool(target: &Target, idle: Duration) -> HttpClient {
    Client::builder(TokioExecutor::new())
        .pool_timer(TokioTimer::new())
        .timer(TokioTimer::new())
        .pool_max_idle_per_host(IDLE_CONNECTIONS)
        .pool_idle_timeout(idle)
        .http1_max_buf_size(READ_BUFFER)
        .http2_adaptive_window(true)
        .http2_keep_alive_interval(Duration::from_secs(20))
        .set_host(false)
        .build(target.connector())
}
