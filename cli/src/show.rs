//! Results in words.

use wire::invalidation::{Ban, How, NodeState, OnLogLoss, Pattern, Phase, PurgeReport};

use crate::answers::{BanList, LogState};

mod directions;
mod whereabouts;

pub(crate) use directions::directions;
pub(crate) use whereabouts::whereabouts;

/// A phase as people read it.
pub(crate) fn phase_word(phase: Phase) -> &'static str {
    match phase {
        Phase::Pending => "pending",
        Phase::Applying => "applying",
        Phase::Complete => "complete",
        Phase::Partial => "partial",
        Phase::Failed => "failed",
    }
}

/// A node's state as people read it.
pub(crate) fn node_word(state: NodeState) -> &'static str {
    match state {
        NodeState::Done => "done",
        NodeState::Waiting => "waiting, may serve what is stale",
        NodeState::Revalidating => "cut off, has everything validated",
        NodeState::Failed => "failed",
    }
}

/// An order in one line.
pub(crate) fn line(report: &PurgeReport) -> String {
    let PurgeReport { id, phase, matched, counting, took_ms, nodes, .. } = report;
    let so_far = if *counting { " so far" } else { "" };
    let seconds = *took_ms as f64 / 1000.0;
    let phase = phase_word(*phase);
    let nodes = plural(nodes.len(), "node");
    format!("{phase}: {matched} matched{so_far}, {nodes}, {seconds:.3} s, order {id}\n")
}

/// An order with its nodes.
pub(crate) fn report(report: &PurgeReport) -> String {
    let mut out = line(report);
    match &report.position {
        Some(position) => out.push_str(&format!("position {position}\n")),
        None => out.push_str("not in the log yet\n"),
    }
    let mut rows = vec![["NODE", "STATE", "MATCHED", ""].map(str::to_owned)];
    for node in &report.nodes {
        rows.push([
            node.name.clone(),
            node_word(node.state).to_owned(),
            count(node.matched),
            node.error.clone().unwrap_or_default(),
        ]);
    }
    if rows.len() > 1 {
        out.push('\n');
        out.push_str(&table(&rows));
    }
    out
}

/// All bans.
pub(crate) fn bans(list: &BanList) -> String {
    if list.bans.is_empty() {
        return "no bans\n".to_owned();
    }
    let mut rows = vec![["ID", "STATE", "MATCHED", "AGE", "EXPIRES IN", "WHAT"].map(str::to_owned)];
    for entry in &list.bans {
        let soft = if entry.how == How::Soft { " (soft)" } else { "" };
        rows.push([
            entry.id.clone(),
            entry.state.clone(),
            count(entry.matched),
            entry.age_seconds.map_or_else(dash, time),
            entry.expires_in_seconds.map_or_else(dash, time),
            format!("{}{soft}", ban(&entry.ban)),
        ]);
    }
    table(&rows)
}

/// The log, its nodes and its orders.
pub(crate) fn log(log: &LogState) -> String {
    let end = log.end.as_ref().map_or_else(|| "empty".to_owned(), |end| format!("at {end}"));
    let mut out = match log.connected {
        true => format!("log: connected, {end}\n"),
        false => "log: away; orders wait until it is back\n".to_owned(),
    };
    if log.queued > 0 {
        out.push_str(&format!("{} to be sent\n", plural(log.queued as usize, "order")));
    }
    if !log.nodes.is_empty() {
        let head = ["NODE", "ROLE", "POOL", "APPLIED", "LAST HEARD", "WHEN CUT OFF"];
        let mut rows = vec![head.map(str::to_owned)];
        for node in &log.nodes {
            rows.push([
                node.name.clone(),
                node.role.clone(),
                node.pool.clone(),
                node.applied.as_ref().map_or_else(dash, ToString::to_string),
                node.silent_ms.map_or_else(dash, |ms| format!("{} ago", time(ms / 1000))),
                match node.on_log_loss {
                    OnLogLoss::Serve => "serves on".to_owned(),
                    OnLogLoss::Revalidate => {
                        format!("validates after {}", time(node.lease_ms / 1000))
                    }
                },
            ]);
        }
        out.push('\n');
        out.push_str(&table(&rows));
    }
    if !log.orders.is_empty() {
        let mut rows = vec![["ORDER", "PHASE", "MATCHED", "NODES"].map(str::to_owned)];
        for order in &log.orders {
            let done = order.nodes.iter().filter(|n| n.state != NodeState::Waiting).count();
            rows.push([
                order.id.clone(),
                phase_word(order.phase).to_owned(),
                order.matched.to_string(),
                format!("{done}/{}", order.nodes.len()),
            ]);
        }
        out.push('\n');
        out.push_str(&table(&rows));
    }
    out
}

/// The conditions of a ban.
fn ban(ban: &Ban) -> String {
    let host = ban.host.as_ref().map(|host| format!("host {host}"));
    let path = ban.path.as_ref().map(|path| format!("path {}", pattern(path)));
    let headers = ban.headers.iter().map(|header| match &header.value {
        Some(value) => format!("header {} {}", header.name, pattern(value)),
        None => format!("header {}", header.name),
    });
    host.into_iter().chain(path).chain(headers).collect::<Vec<_>>().join(", ")
}

fn pattern(pattern: &Pattern) -> String {
    let (kind, text) = match pattern {
        Pattern::Glob(text) => ("glob", text),
        Pattern::Prefix(text) => ("prefix", text),
        Pattern::Exact(text) => ("exact", text),
        Pattern::Regex(text) => ("regex", text),
    };
    format!("{kind} {text}")
}

fn count(number: Option<u64>) -> String {
    number.map_or_else(dash, |number| number.to_string())
}

fn dash() -> String {
    "-".to_owned()
}

/// `1h5m`, `5m10s`, `10s`: the two largest units.
fn time(seconds: u64) -> String {
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, s) => format!("{s}s"),
        (0, m, s) => format!("{m}m{s}s"),
        (h, m, _) => format!("{h}h{m}m"),
    }
}

fn plural(number: usize, word: &str) -> String {
    format!("{number} {word}{}", if number == 1 { "" } else { "s" })
}

/// What could lead a terminal astray is left out.
fn clean(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).collect()
}

/// Columns as wide as they need to be, the last one open.
fn table<const N: usize>(rows: &[[String; N]]) -> String {
    let rows: Vec<_> = rows.iter().map(|row| row.each_ref().map(|cell| clean(cell))).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max();
    let widths: Vec<_> = (0..N).map(|column| width(column).unwrap_or(0)).collect();
    let mut out = String::new();
    for row in &rows {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        out.push_str(cells.collect::<Vec<_>>().join("  ").trim_end());
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests;
