//! The programs themselves, as a user starts them.

use std::io::{self, BufRead, BufReader, Read};
use std::net::{TcpListener, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use tokio::sync::mpsc;

/// How long a test waits for something that must happen.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running program. It is killed when this is dropped.
pub struct Program {
    child: Child,
    lines: mpsc::UnboundedReceiver<String>,
    seen: Vec<String>,
}

impl Program {
    /// Starts `edge`, `shield` or `local` with `arguments`.
    ///
    /// # Errors
    /// When it cannot be built or started.
    pub fn start(name: &str, arguments: &[&str]) -> io::Result<Self> {
        Self::run(Command::new(built()?.join(name)), arguments)
    }

    /// Starts the program at `path`, as it is.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start_at(path: &Path, arguments: &[&str]) -> io::Result<Self> {
        Self::run(Command::new(path), arguments)
    }

    /// As [`Program::start`], in the network namespace `space`.
    ///
    /// # Errors
    /// When it cannot be built or started.
    pub fn start_in(space: &str, name: &str, arguments: &[&str]) -> io::Result<Self> {
        let mut ip = Command::new("ip");
        // It becomes the program, and so has its process id.
        ip.args(["netns", "exec", space]).arg(built()?.join(name));
        Self::run(ip, arguments)
    }

    fn run(mut command: Command, arguments: &[&str]) -> io::Result<Self> {
        let mut child = command
            .args(arguments)
            .env_remove("RUST_LOG")
            .env_remove("BLUE_ORIGIN_ADMIN_TOKEN")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let (sender, lines) = mpsc::unbounded_channel();
        if let Some(out) = child.stdout.take() {
            collect(out, sender.clone());
        }
        if let Some(err) = child.stderr.take() {
            collect(err, sender);
        }
        Ok(Self { child, lines, seen: Vec::new() })
    }

    /// The first line with `part` in it, of those not asked for yet.
    ///
    /// # Errors
    /// With all that was written, when it ends without such a line.
    pub async fn line(&mut self, part: &str) -> io::Result<String> {
        loop {
            match tokio::time::timeout(PATIENCE, self.lines.recv()).await {
                Ok(Some(line)) => {
                    self.seen.push(line.clone());
                    if line.contains(part) {
                        return Ok(line);
                    }
                }
                _ => {
                    return Err(io::Error::other(format!(
                        "no {part:?} in:\n{}",
                        self.seen.join("\n")
                    )));
                }
            }
        }
    }

    /// Waits for the end: the exit code, and all that was written.
    ///
    /// # Errors
    /// When it does not end.
    pub async fn end(mut self) -> io::Result<(Option<i32>, String)> {
        while let Ok(Some(line)) = tokio::time::timeout(PATIENCE, self.lines.recv()).await {
            self.seen.push(line);
        }
        // Its output is closed, so it has ended or is about to.
        for _ in 0..1000 {
            if let Some(status) = self.child.try_wait()? {
                return Ok((status.code(), self.seen.join("\n")));
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Err(io::Error::other(format!("it goes on:\n{}", self.seen.join("\n"))))
    }

    /// Sends SIGTERM.
    ///
    /// # Errors
    /// When it is gone already.
    pub fn terminate(&self) -> io::Result<()> {
        signal(&self.child, "TERM")
    }

    /// Stops it as it stands.
    ///
    /// # Errors
    /// When it is gone already.
    pub fn pause(&self) -> io::Result<()> {
        signal(&self.child, "STOP")
    }

    /// Lets it go on.
    ///
    /// # Errors
    /// When it is gone already.
    pub fn resume(&self) -> io::Result<()> {
        signal(&self.child, "CONT")
    }

    /// All that it wrote so far.
    pub fn written(&mut self) -> String {
        while let Ok(line) = self.lines.try_recv() {
            self.seen.push(line);
        }
        self.seen.join("\n")
    }

    /// Bytes of memory that it has now.
    ///
    /// # Errors
    /// When the system does not say.
    pub fn resident(&self) -> io::Result<u64> {
        crate::memory::resident(self.child.id())
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The file of a program.
///
/// # Errors
/// When it cannot be built.
pub fn binary(name: &str) -> io::Result<PathBuf> {
    Ok(built()?.join(name))
}

/// How many ports from its base `local` uses.
pub const LOCAL_PORTS: u16 = 92;

/// The first of `count` ports in a row that are free, over TCP and UDP, and that no other test of this process was
/// given. They are none of those that the kernel gives to whoever asks for any: it may give them away before they are
/// used.
///
/// # Panics
/// When there are none.
pub fn free_ports(count: u16) -> u16 {
    const FIRST: u16 = 10_000;
    const SPAN: u16 = 20_000;
    static NEXT: Mutex<Option<u16>> = Mutex::new(None);
    let mut next = NEXT.lock().unwrap_or_else(PoisonError::into_inner);
    for _ in 0..1000 {
        // Tests of other processes begin elsewhere.
        let start = next.unwrap_or((std::process::id() % u32::from(SPAN)) as u16);
        let first = FIRST + start;
        *next = Some((start + count) % SPAN);
        let free = |port| {
            let at = ("127.0.0.1", port);
            TcpListener::bind(at).is_ok() && UdpSocket::bind(at).is_ok()
        };
        if (first..first + count).all(free) {
            return first;
        }
    }
    panic!("no {count} ports in a row");
}

/// Sends the signal called `name` to a process of our own.
pub(crate) fn signal(child: &Child, name: &str) -> io::Result<()> {
    let status = Command::new("kill").args(["-s", name, &child.id().to_string()]).status()?;
    if status.success() { Ok(()) } else { Err(io::Error::other("it is gone already")) }
}

fn collect(from: impl Read + Send + 'static, into: mpsc::UnboundedSender<String>) {
    std::thread::spawn(move || {
        for line in BufReader::new(from).lines().map_while(Result::ok) {
            if into.send(line).is_err() {
                break;
            }
        }
    });
}

/// The folder of the programs, built from the sources as they are: cargo builds the programs of this
/// package's tests itself, but not those of the packages that it depends on.
fn built() -> io::Result<PathBuf> {
    static BUILT: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let built = BUILT.get_or_init(|| build().map_err(|error| error.to_string()));
    built.clone().map_err(io::Error::other)
}

fn build() -> io::Result<PathBuf> {
    let executable = std::env::current_exe()?;
    // …/target/debug/deps/it-0123
    let profile = executable.ancestors().nth(2).ok_or(io::ErrorKind::NotFound)?.to_owned();
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    // What cargo tells a test about its package would look like a change to some build scripts.
    for (name, _) in std::env::vars_os() {
        let about_the_package = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_CRATE_", "CARGO_BIN_"];
        let name = name.to_string_lossy().into_owned();
        if about_the_package.iter().any(|prefix| name.starts_with(prefix)) {
            command.env_remove(name);
        }
    }
    // The whole workspace, as the Makefile builds it: other sets of packages have other features, and
    // every dependency would be built once more.
    command.args(["build", "--quiet", "--offline", "--workspace", "--bins"]);
    if profile.ends_with("release") {
        command.arg("--release");
    }
    if let Some(target) = profile.parent() {
        command.arg("--target-dir").arg(target);
    }
    let output = command.current_dir(env!("CARGO_MANIFEST_DIR")).output()?;
    if !output.status.success() {
        return Err(io::Error::other(String::from_utf8_lossy(&output.stderr).into_owned()));
    }
    Ok(profile)
}
