use std::collections::BTreeSet;

use proptest::prelude::*;
use wire::invalidation::{FORMAT, How, Invalidation, Target};

use super::*;
use crate::log::MemoryLog;

fn text(id: u64) -> String {
    let order = Invalidation {
        format: FORMAT,
        id: id.to_string(),
        target: Target::All,
        how: How::Hard,
        dry_run: false,
        issued_ms: 0,
    };
    serde_json::to_string(&order).unwrap()
}

fn log(entries: u64) -> MemoryLog {
    let mut log = MemoryLog::new("e".into(), 100, 1 << 20);
    for n in 1..=entries {
        log.append(text(n), n);
    }
    log
}

/// Looks until there is no more, and says in short what was delivered.
fn follow(reader: &mut Reader, log: &MemoryLog, page: usize) -> String {
    let mut told = Vec::new();
    loop {
        reader.take(log.read(reader.after(), page));
        while let Some(delivery) = reader.deliver() {
            told.push(match delivery {
                Delivery::Event(Entry { order: Ok(order), .. }) => order.id,
                Delivery::Event(Entry { order: Err(_), .. }) => "malformed".into(),
                Delivery::Gap(reason) => reason.as_str().into(),
                Delivery::CaughtUp(position) => format!("= {position}"),
                Delivery::Away => "away".into(),
            });
        }
        if reader.at_end() {
            return told.join(" ");
        }
    }
}

fn at(log: &MemoryLog, ms: u64) -> Option<LogPosition> {
    Some(LogPosition { epoch: log.epoch().into(), seq: Seq { ms, n: 0 } })
}

#[test]
fn a_fresh_reader_reads_all_there_is_without_a_gap() {
    for page in [1, 2, 100] {
        let mut log = log(3);
        log.trim(2);
        let mut reader = Reader::new(None);
        assert_eq!(follow(&mut reader, &log, page), "2 3 = e/3-0");
        assert_eq!(reader.cursor(), at(&log, 3).as_ref());
        assert_eq!(follow(&mut reader, &log, page), "");
    }
    assert_eq!(follow(&mut Reader::new(None), &log(0), 9), "= e/0-0");
    let mut emptied = log(3);
    emptied.trim(0);
    assert_eq!(follow(&mut Reader::new(None), &emptied, 9), "= e/3-0");
}

#[test]
fn the_first_entry_of_all_follows_an_empty_log() {
    let mut log = log(0);
    let mut reader = Reader::new(None);
    assert_eq!(follow(&mut reader, &log, 9), "= e/0-0");
    log.append(text(1), 1);
    assert_eq!(follow(&mut reader, &log, 9), "1 = e/1-0");
}

#[test]
fn a_reader_goes_on_where_it_was() {
    let log = log(3);
    assert_eq!(follow(&mut Reader::new(at(&log, 1)), &log, 1), "2 3 = e/3-0");
    assert_eq!(follow(&mut Reader::new(at(&log, 3)), &log, 1), "= e/3-0");
}

#[test]
fn each_way_to_miss_something_is_a_gap_and_then_all_is_read_again() {
    // The whole log was replaced.
    let mut log = log(3);
    let mut reader = Reader::new(at(&log, 2));
    log.restart_empty("f".into());
    assert_eq!(follow(&mut reader, &log, 9), "epoch = f/0-0");
    log.append(text(1), 1);
    assert_eq!(follow(&mut reader, &log, 9), "1 = f/1-0");

    // What came next was forgotten: some of it, or all.
    for keep in [0, 1] {
        let mut log = self::log(3);
        let mut reader = Reader::new(at(&log, 1));
        log.trim(keep);
        let rest = if keep == 0 { "trimmed = e/3-0" } else { "trimmed 3 = e/3-0" };
        assert_eq!(follow(&mut reader, &log, 9), rest);
    }

    // Its own entry was forgotten, what follows was not: nothing is missed.
    let mut log = self::log(3);
    let mut reader = Reader::new(at(&log, 1));
    log.trim(2);
    assert_eq!(follow(&mut reader, &log, 9), "2 3 = e/3-0");

    // The tail was lost, and nothing came since; or it did.
    let mut log = self::log(3);
    let mut reader = Reader::new(at(&log, 3));
    log.lose_tail(1);
    assert_eq!(follow(&mut reader, &log, 9), "backwards 1 2 = e/2-0");
    log.lose_tail(1);
    log.append(text(9), 9);
    assert_eq!(follow(&mut reader, &log, 9), "broken 1 9 = e/9-0");
    assert_eq!(follow(&mut reader, &log, 9), "");
}

#[test]
fn a_tail_lost_before_it_was_read_is_nothing_to_the_reader() {
    let mut log = log(3);
    let mut reader = Reader::new(at(&log, 2));
    log.lose_tail(1);
    log.append(text(9), 9);
    assert_eq!(follow(&mut reader, &log, 9), "9 = e/9-0");
}

#[test]
fn what_is_malformed_is_delivered_and_hides_nothing_behind_it() {
    let mut log = log(1);
    let mut reader = Reader::new(at(&log, 1));
    let last = log.last();
    log.append_raw(Some("{".into()), Some(last), 2);
    log.append(text(3), 3);
    // By hand, without a word on what is before: what is directly before it is still there.
    log.append_raw(None, None, 4);
    log.append(text(5), 5);
    assert_eq!(follow(&mut reader, &log, 9), "malformed 3 malformed 5 = e/5-0");
    // It is not there any more: nobody knows.
    log.append_raw(None, None, 6);
    log.trim(1);
    assert_eq!(follow(&mut reader, &log, 9), "broken malformed = e/6-0");
    // A lie is a gap, but only once.
    log.append_raw(None, Some(Seq { ms: 1, n: 0 }), 7);
    assert_eq!(follow(&mut reader, &log, 1), "broken malformed malformed = e/7-0");
}

#[test]
fn an_absence_is_told_once_and_ends_with_caught_up() {
    let mut log = log(1);
    let mut reader = Reader::new(at(&log, 1));
    reader.away();
    reader.away();
    assert_eq!(reader.deliver(), Some(Delivery::Away));
    assert_eq!(reader.deliver(), None);
    assert_eq!(reader.cursor(), at(&log, 1).as_ref());
    log.append(text(2), 2);
    assert_eq!(follow(&mut reader, &log, 9), "2 = e/2-0");
    reader.away();
    assert_eq!(follow(&mut reader, &log, 9), "away = e/2-0");
}

#[derive(Clone, Debug)]
enum Step {
    Append,
    LoseTail(usize),
    LoseTailAndTime(usize),
    Restart,
    Trim(usize),
    Look(usize),
    Away,
    Reopen,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => Just(Step::Append),
        1 => (1..4_usize).prop_map(Step::LoseTail),
        2 => (1..4_usize).prop_map(Step::LoseTailAndTime),
        1 => Just(Step::Restart),
        1 => (0..4_usize).prop_map(Step::Trim),
        6 => (1..4_usize).prop_map(Step::Look),
        1 => Just(Step::Away),
        1 => Just(Step::Reopen),
    ];
    proptest::collection::vec(step, 1..80)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whenever a reader says that it caught up, there is nothing in the log's past that it neither
    /// delivered nor declared a gap about; and nothing is delivered twice without a gap.
    #[test]
    fn nothing_is_missed_in_silence(steps in steps()) {
        let mut log = log(0);
        let mut reader = Reader::new(None);
        let (mut id, mut restarts) = (0, 0);
        // Times given out, far apart: a clock that is behind finds others in between.
        let mut used: BTreeSet<u64> = BTreeSet::new();
        let mut behind = false;
        // Entries of this log that the reader must still tell of, and those it told.
        let mut owed: BTreeSet<Seq> = BTreeSet::new();
        let mut told: BTreeSet<Seq> = BTreeSet::new();
        // The reader begins with its next look, for an empty node: what was before is nothing to it.
        let mut fresh = true;
        for step in steps {
            match step {
                Step::Append => {
                    id += 1;
                    let now = if std::mem::take(&mut behind) {
                        (log.last().ms + 1..).find(|ms| !used.contains(ms)).unwrap()
                    } else {
                        used.last().unwrap_or(&0) + 10
                    };
                    used.insert(now);
                    owed.insert(log.append(text(id), now).seq);
                }
                Step::LoseTail(n) => {
                    log.lose_tail(n);
                    // What nobody read and nobody can read is the sender's to send again.
                    owed.retain(|seq| *seq <= log.last());
                }
                Step::LoseTailAndTime(n) => {
                    log.lose_tail_and_time(n);
                    owed.retain(|seq| *seq <= log.last());
                    behind = true;
                }
                Step::Restart => {
                    restarts += 1;
                    log.restart_empty(format!("e{restarts}"));
                    owed.clear();
                }
                Step::Trim(keep) => log.trim(keep),
                Step::Away => reader.away(),
                Step::Reopen => {
                    reader = Reader::new(reader.cursor().cloned());
                    fresh = reader.cursor().is_none();
                }
                Step::Look(page) => {
                    if std::mem::take(&mut fresh) {
                        owed.clear();
                        told.clear();
                    }
                    reader.take(log.read(reader.after(), page));
                }
            }
            while let Some(delivery) = reader.deliver() {
                match delivery {
                    Delivery::Event(entry) => {
                        prop_assert_eq!(&entry.position.epoch, log.epoch());
                        owed.remove(&entry.position.seq);
                        prop_assert!(told.insert(entry.position.seq), "told twice");
                    }
                    Delivery::Gap(_) => {
                        owed.clear();
                        told.clear();
                    }
                    Delivery::CaughtUp(position) => {
                        prop_assert_eq!(position.seq, log.last());
                        prop_assert!(owed.is_empty(), "missed {:?}", owed);
                    }
                    Delivery::Away => {}
                }
            }
        }
    }
}
