use super::*;

fn log(most: usize, most_bytes: usize) -> MemoryLog {
    MemoryLog::new("e".into(), most, most_bytes)
}

fn seqs(page: &Page) -> Vec<(Seq, Option<Seq>)> {
    page.records.iter().map(|record| (record.seq, record.prev)).collect()
}

const fn seq(ms: u64, n: u64) -> Seq {
    Seq { ms, n }
}

#[test]
fn ids_grow_whatever_the_clock_says_and_chain() {
    let mut log = log(10, 1_000);
    for now in [5, 5, 3, 9] {
        log.append("x".into(), now);
    }
    let page = log.read(Seq::ZERO, 10);
    let ids = [Seq::ZERO, seq(5, 0), seq(5, 1), seq(5, 2), seq(9, 0)];
    let expected: Vec<_> = ids.windows(2).map(|pair| (pair[1], Some(pair[0]))).collect();
    assert_eq!(seqs(&page), expected);
    assert_eq!(page.last, seq(9, 0));
    assert!(!page.kept);
    let rest = log.read(seq(5, 1), 1);
    assert_eq!(seqs(&rest), [(seq(5, 2), Some(seq(5, 1)))]);
    assert!(rest.kept);
}

#[test]
fn a_log_is_bounded_in_entries_and_bytes_and_keeps_the_newest() {
    let mut few = log(2, 1_000);
    let mut small = log(100, 10);
    for n in 1..=5 {
        few.append("x".into(), n);
        small.append("12345".into(), n);
    }
    assert_eq!(few.first(), Some(seq(4, 0)));
    assert_eq!(small.first(), Some(seq(4, 0)));
    assert_eq!(small.bytes(), 10);
    small.append("0".repeat(50), 6);
    assert_eq!(small.first(), Some(seq(6, 0)));
    small.trim(0);
    assert_eq!((small.first(), small.last(), small.bytes()), (None, seq(6, 0), 0));
}

#[test]
fn a_lost_tail_is_followed_by_ids_that_were_never_given_out() {
    let mut log = log(10, 1_000);
    for now in 1..=4 {
        log.append("x".into(), now);
    }
    log.lose_tail(2);
    assert_eq!(log.last(), seq(2, 0));
    assert_eq!(log.append("y".into(), 1).seq, seq(4, 1));
    assert_eq!(seqs(&log.read(seq(2, 0), 9)), [(seq(4, 1), Some(seq(2, 0)))]);
    log.lose_tail(9);
    assert_eq!((log.first(), log.last(), log.bytes()), (None, Seq::ZERO, 0));
}

#[test]
fn another_log_has_another_name() {
    let mut log = log(10, 1_000);
    log.append("x".into(), 7);
    log.restart_empty("f".into());
    assert_eq!((log.epoch(), log.last(), log.first()), ("f", Seq::ZERO, None));
    assert_eq!(log.append("x".into(), 3).to_string(), "f/3-0");
}
