//! The machine that something is measured on.

use std::io;
use std::time::Duration;

/// How long other work on the machine is looked at.
const LOOK: Duration = Duration::from_secs(2);

/// The share of this machine's cores that is used now, looked at for a while.
///
/// # Errors
/// When the system does not say.
pub async fn busy() -> io::Result<f64> {
    let (idle, all) = ticks()?;
    tokio::time::sleep(LOOK).await;
    let (idle_then, all_then) = ticks()?;
    let all = all_then.saturating_sub(all).max(1);
    Ok(1.0 - idle_then.saturating_sub(idle) as f64 / all as f64)
}

/// The time of all cores so far: idle, and in all.
fn ticks() -> io::Result<(u64, u64)> {
    let text = std::fs::read_to_string("/proc/stat")?;
    let line = text.lines().next().and_then(|line| line.strip_prefix("cpu ")).unwrap_or_default();
    let times: Vec<u64> = line.split_whitespace().map_while(|time| time.parse().ok()).collect();
    // user, nice, system, idle, waiting for I/O, and so on
    Ok((times.iter().skip(3).take(2).sum(), times.iter().take(8).sum()))
}

/// The processor's name and the number of its cores.
pub fn machine() -> (String, usize) {
    let text = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = text.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let name = name.map_or("an unknown processor", |(_, name)| name);
    (name.to_owned(), std::thread::available_parallelism().map_or(1, usize::from))
}
