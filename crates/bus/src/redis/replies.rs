//! What Redis answers, read. Nothing that somebody wrote into Redis by hand makes this panic.

use std::time::Duration;

use redis::Value;
use serde::Serialize;
use wire::Seq;
use wire::invalidation::{Ack, Heartbeat, OnLogLoss};

use crate::log::{Page, Record};
use crate::{Acks, BusError, Sighting};

/// Reads a page, asked for with the entry at `after` first.
pub(super) fn page(value: Value, after: Seq) -> Result<Page, BusError> {
    let [epoch, last, entries, added] = list(value)?;
    let Value::Array(entries) = entries else { return Err(strange("entries")) };
    let mut number = None;
    let mut records = Vec::with_capacity(entries.len());
    for entry in entries {
        let (record, its) = record(entry)?;
        records.push(record);
        number = its;
    }
    let kept = records.first().is_some_and(|record| record.seq == after);
    if kept {
        records.remove(0);
    }
    let (last, added) = (seq(&text(last)?)?, text(added)?.parse::<u64>().unwrap_or(0));
    let more = match (records.last(), number) {
        (Some(_), Some(number)) => added.saturating_sub(number),
        // Somebody wrote it by hand.
        (Some(record), None) => u64::from(record.seq < last),
        (None, _) => 0,
    };
    Ok(Page { epoch: text(epoch)?, last, kept, records, more })
}

/// Reads an entry, and the how manieth it is of all that were ever added.
fn record(entry: Value) -> Result<(Record, Option<u64>), BusError> {
    let [id, fields] = list(entry)?;
    let Value::Array(fields) = fields else { return Err(strange("fields")) };
    let mut record = Record { seq: seq(&text(id)?)?, prev: None, text: None };
    let mut number = None;
    let mut fields = fields.into_iter();
    while let (Some(name), Some(value)) = (fields.next(), fields.next()) {
        match text(name)?.as_str() {
            "number" => number = text(value)?.parse().ok(),
            "prev" => record.prev = text(value)?.parse().ok(),
            "order" => record.text = Some(text(value)?),
            _ => {}
        }
    }
    Ok((record, number))
}

/// A node as Redis knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Listed {
    pub(super) beat: Heartbeat,
    /// When it said so, by the server's clock.
    pub(super) stamp: i64,
}

/// Reads the time of the server, the nodes, and the names of those that left.
pub(super) fn members(value: Value) -> Result<(i64, Vec<Listed>, Vec<String>), BusError> {
    let [now, nodes, left] = list(value)?;
    let now = text(now)?.parse().map_err(|_| strange("a time"))?;
    let (Value::Array(nodes), Value::Array(left)) = (nodes, left) else {
        return Err(strange("nodes"));
    };
    let mut listed = Vec::with_capacity(nodes.len() / 2);
    let mut nodes = nodes.into_iter();
    while let (Some(name), Some(value)) = (nodes.next(), nodes.next()) {
        listed.push(listing(text(name)?, &text(value)?));
    }
    Ok((now, listed, left.into_iter().map(text).collect::<Result<_, _>>()?))
}

/// A node of which nothing can be read is there all the same, and may serve what is stale.
fn listing(node: String, value: &str) -> Listed {
    let (stamp, beat) = value.split_once(':').unwrap_or(("0", value));
    let beat = serde_json::from_str(beat).ok().filter(|beat: &Heartbeat| beat.node == node);
    let unknown = || Heartbeat { node, on_log_loss: OnLogLoss::Serve, ..Heartbeat::default() };
    Listed { beat: beat.unwrap_or_else(unknown), stamp: stamp.parse().unwrap_or(0) }
}

/// Reads what observers said; `None`: there are too many of them.
pub(super) fn sightings(value: Value) -> Result<Option<Vec<Sighting>>, BusError> {
    if matches!(&value, Value::Array(values) if values.is_empty()) {
        return Ok(None);
    }
    let [now, said] = list(value)?;
    let now: i64 = text(now)?.parse().map_err(|_| strange("a time"))?;
    let Value::Array(said) = said else { return Err(strange("observers")) };
    let mut all = Vec::with_capacity(said.len() / 2);
    let mut said = said.into_iter();
    while let (Some(observer), Some(value)) = (said.next(), said.next()) {
        let (observer, value) = (text(observer)?, text(value)?);
        let (stamp, report) = value.split_once(':').unwrap_or(("0", &value));
        let stamp: i64 = stamp.parse().unwrap_or(0);
        let age = u64::try_from(now.saturating_sub(stamp)).unwrap_or(0);
        let (age, report) = (Duration::from_millis(age), report.to_owned());
        all.push(Sighting { observer, stamp, age, report });
    }
    Ok(Some(all))
}

/// Reads what is known of `most` entries.
pub(super) fn acks(value: Value, most: usize) -> Result<Vec<Acks>, BusError> {
    let Value::Array(all) = value else { return Err(strange("acknowledgements")) };
    if all.len() != most {
        return Err(strange("another number of acknowledgements"));
    }
    let one = |value| {
        let [present, acks] = list(value)?;
        let Value::Array(acks) = acks else { return Err(strange("acknowledgements")) };
        let acks = acks.into_iter().filter_map(|ack| serde_json::from_str(&text(ack).ok()?).ok());
        Ok(Acks { present: present == Value::Int(1), acks: acks.collect::<Vec<Ack>>() })
    };
    all.into_iter().map(one).collect()
}

/// Reads an id.
pub(super) fn seq(id: &str) -> Result<Seq, BusError> {
    id.parse().map_err(|_| strange("an id"))
}

/// Writes what a later reader reads.
pub(super) fn json<T: Serialize>(value: &T) -> Result<String, BusError> {
    serde_json::to_string(value).map_err(|error| BusError::Refused(error.to_string()))
}

fn list<const N: usize>(value: Value) -> Result<[Value; N], BusError> {
    match value {
        Value::Array(values) => values.try_into().map_err(|_| strange("another number of values")),
        _ => Err(strange("no list")),
    }
}

fn text(value: Value) -> Result<String, BusError> {
    match value {
        Value::BulkString(bytes) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
        Value::SimpleString(text) => Ok(text.as_str().to_owned()),
        Value::Int(number) => Ok(number.to_string()),
        _ => Err(strange("no text")),
    }
}

fn strange(what: &str) -> BusError {
    BusError::Away(format!("redis answered strangely: {what}"))
}

#[cfg(test)]
mod tests;
