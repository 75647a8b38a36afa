//! A real `redis-server` of our own.

use std::net::{Ipv4Addr, TcpListener};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use bus::contract::{Bench, within};
use bus::{Bus, Later, RedisBus, RedisSettings};
use parking_lot::Mutex;
use redis::aio::MultiplexedConnection;
use wire::Seq;

/// A server on a free port, ended with SIGKILL when dropped.
pub(crate) struct Server {
    child: Mutex<Child>,
    program: &'static str,
    arguments: Vec<String>,
    folder: tempfile::TempDir,
    pub(crate) port: u16,
}

pub(crate) fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}

impl Server {
    /// Starts a server; nothing of it is kept on disk.
    pub(crate) async fn start(arguments: &[&str]) -> Self {
        let server = Self::spawn(free_port(), arguments);
        server.answers().await;
        server
    }

    /// Starts a server without waiting until it answers.
    pub(crate) fn spawn(port: u16, arguments: &[&str]) -> Self {
        let own = ["--save", "", "--appendonly", "no", "--bind", "127.0.0.1"];
        let port_arguments = ["--port".to_owned(), port.to_string()];
        let arguments = own.iter().chain(arguments).map(|&argument| argument.to_owned());
        // What comes last is what counts.
        let arguments = port_arguments.into_iter().chain(arguments).collect();
        let folder = tempfile::tempdir().unwrap();
        Self::spawn_as("redis-server", port, arguments, folder)
    }

    pub(crate) fn spawn_as(
        program: &'static str,
        port: u16,
        arguments: Vec<String>,
        folder: tempfile::TempDir,
    ) -> Self {
        let child = Mutex::new(run(program, &arguments, &folder));
        Self { child, program, arguments, folder, port }
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    pub(crate) fn settings(&self) -> RedisSettings {
        RedisSettings { url: self.url(), ..RedisSettings::default() }
    }

    /// A connection of the test's own.
    pub(crate) async fn connection(&self) -> MultiplexedConnection {
        let client = redis::Client::open(self.url()).unwrap();
        client.get_multiplexed_async_connection().await.unwrap()
    }

    pub(crate) async fn answers(&self) {
        within(async {
            while self.ping().await.is_err() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        })
        .await;
    }

    async fn ping(&self) -> redis::RedisResult<String> {
        let client = redis::Client::open(self.url())?;
        let mut connection = client.get_multiplexed_async_connection().await?;
        redis::cmd("PING").query_async(&mut connection).await
    }

    /// Kills it at once; with it goes all it knew.
    pub(crate) fn kill(&self) {
        let mut child = self.child.lock();
        // Killing what is dead already is no error to us: it is dead.
        let _ = child.kill();
        child.wait().unwrap();
    }

    /// Kills it and starts another one in its place.
    pub(crate) async fn restart_empty(&self) {
        self.kill();
        self.start_again();
        self.answers().await;
    }

    pub(crate) fn start_again(&self) {
        *self.child.lock() = run(self.program, &self.arguments, &self.folder);
    }

    /// Stops it as it stands, or lets it go on.
    pub(crate) fn signal(&self, name: &str) {
        let pid = self.child.lock().id().to_string();
        assert!(Command::new("kill").args(["-s", name, &pid]).status().unwrap().success());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

fn run(program: &str, arguments: &[String], folder: &tempfile::TempDir) -> Child {
    Command::new(program)
        .args(arguments)
        .current_dir(folder.path())
        .stdout(Stdio::null())
        .spawn()
        .expect("redis-server must be installed (Debian: apt-get install redis-server)")
}

/// A bus to this place that is connected.
pub(crate) async fn connect(settings: RedisSettings) -> Arc<dyn Bus> {
    let bus: Arc<dyn Bus> = Arc::new(RedisBus::connect(settings).unwrap());
    within(async {
        while !bus.connected() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await;
    bus
}

/// Leaves out the newest entries of the log, as a replica that lacked them would.
const LOSE_TAIL: &str = r"
local entries = redis.call('XRANGE', KEYS[1], '-', '+')
redis.call('DEL', KEYS[1])
for i = 1, #entries - ARGV[1] do redis.call('XADD', KEYS[1], entries[i][1], unpack(entries[i][2])) end
return 1
";

pub(crate) const LOG: &str = "{blue-origin}:log";

impl Bench for Server {
    fn join(&self) -> Later<'_, Arc<dyn Bus>> {
        Box::pin(connect(self.settings()))
    }

    fn cut(&self) -> Later<'_, ()> {
        self.signal("STOP");
        Box::pin(std::future::ready(()))
    }

    fn heal(&self) -> Later<'_, ()> {
        self.signal("CONT");
        Box::pin(std::future::ready(()))
    }

    fn lose_tail(&self, n: usize) -> Later<'_, ()> {
        Box::pin(async move {
            let mut connection = self.connection().await;
            let script = redis::Script::new(LOSE_TAIL);
            let _done: i64 = script.key(LOG).arg(n).invoke_async(&mut connection).await.unwrap();
        })
    }

    fn restart_empty(&self) -> Later<'_, ()> {
        Box::pin(self.restart_empty())
    }

    fn trim(&self, keep: usize) -> Later<'_, ()> {
        Box::pin(async move {
            let mut trim = redis::cmd("XTRIM");
            trim.arg(LOG).arg("MAXLEN").arg("=").arg(keep);
            let _trimmed: i64 = trim.query_async(&mut self.connection().await).await.unwrap();
        })
    }

    fn write(&self, text: Option<String>, prev: Option<Seq>) -> Later<'_, ()> {
        Box::pin(async move {
            let mut add = redis::cmd("XADD");
            add.arg(LOG).arg("*").arg("by").arg("hand");
            if let Some(prev) = prev {
                add.arg("prev").arg(prev.to_string());
            }
            if let Some(text) = text {
                add.arg("order").arg(text);
            }
            let _id: String = add.query_async(&mut self.connection().await).await.unwrap();
        })
    }
}
