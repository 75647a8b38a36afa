use wire::Seq;

use super::*;
use crate::completion::Judgement;
use crate::contract::order;

const NOW: Duration = Duration::from_secs(100);

fn at(ms: u64) -> LogPosition {
    LogPosition { epoch: "e".into(), seq: Seq { ms, n: 0 } }
}

fn book(queue: usize, known: usize) -> Book {
    Book::new(SenderSettings { queue, known, ..SenderSettings::default() })
}

fn verdict(judgement: Judgement) -> Verdict {
    Verdict {
        judgement,
        nodes: vec![],
        matched: 0,
        counting: false,
        unanswered: false,
        owed: false,
        again: judgement == Judgement::Lost,
    }
}

fn phase(book: &Book, id: &str) -> Option<Phase> {
    book.report(id, NOW).map(|report| report.phase)
}

#[test]
fn orders_are_published_in_order_and_once() {
    let mut book = book(10, 10);
    assert_eq!(book.accept(order("a"), NOW), Ok(false));
    assert_eq!(book.accept(order("b"), NOW), Ok(false));
    assert_eq!(book.accept(order("a"), NOW), Ok(true));
    assert_eq!(book.queued(), 2);
    assert_eq!(book.front().unwrap().id, "a");
    book.published("a", at(1), NOW);
    assert_eq!(book.front().unwrap().id, "b");
    assert_eq!(
        (phase(&book, "a"), phase(&book, "b")),
        (Some(Phase::Applying), Some(Phase::Pending))
    );
}

#[test]
fn what_is_complete_is_never_given_anew_though_it_is_still_counted() {
    let lost = |counting| Verdict { counting, unanswered: true, ..verdict(Judgement::Lost) };
    let mut book = book(10, 10);
    book.accept(order("a"), NOW).unwrap();
    book.published("a", at(1), NOW);
    book.judged("a", &at(1), Verdict { counting: true, ..verdict(Judgement::Complete) }, NOW);
    let day = NOW + Duration::from_hours(24);
    book.judged("a", &at(1), lost(true), day);
    assert_eq!((book.queued(), phase(&book, "a")), (0, Some(Phase::Complete)));
    book.judged("a", &at(1), lost(false), day);
    assert_eq!((book.queued(), book.rest(day)), (0, None), "nothing is left to be told");

    // Nor by who goes on with it.
    book.accept(order("b"), NOW).unwrap();
    book.published("b", at(2), NOW);
    book.completed("b", NOW);
    assert!(book.report("b", NOW).unwrap().counting);
    book.judged("b", &at(2), lost(false), NOW);
    assert_eq!((book.queued(), phase(&book, "b")), (0, Some(Phase::Complete)));
}

#[test]
fn what_is_withdrawn_is_published_no_more() {
    let mut book = book(2, 10);
    for id in ["a", "b"] {
        book.accept(order(id), NOW).unwrap();
    }
    assert_eq!(book.waiting(), ["a", "b"]);
    book.published("a", at(1), NOW);
    assert_eq!(book.waiting(), ["b"]);
    for id in ["a", "b", "unknown"] {
        book.withdraw(id);
    }
    assert_eq!((book.front(), book.queued(), phase(&book, "a")), (None, 0, None));
    book.judged("a", &at(1), verdict(Judgement::Lost), NOW);
    assert_eq!(book.queued(), 0);
    // Nothing of them stands in the way of others.
    for id in ["a", "b"] {
        assert_eq!(book.accept(order(id), NOW), Ok(false));
    }
}

#[test]
fn a_full_queue_takes_no_more_until_the_log_does() {
    let mut book = book(2, 10);
    assert_eq!(book.accept(order("a"), NOW), Ok(false));
    assert_eq!(book.accept(order("b"), NOW), Ok(false));
    assert_eq!(book.accept(order("c"), NOW), Err(SendError::Full));
    book.published("a", at(1), NOW);
    assert_eq!(book.accept(order("c"), NOW), Ok(false));
}

#[test]
fn what_is_complete_makes_room_first_then_what_is_partial_and_nothing_else() {
    let mut book = book(10, 3);
    for (n, id) in ["late", "done", "new"].into_iter().enumerate() {
        book.accept(order(id), NOW).unwrap();
        book.published(id, at(n as u64), NOW);
    }
    book.judged("done", &at(1), verdict(Judgement::Complete), NOW);
    assert_eq!(book.accept(order("x"), NOW), Ok(false));
    assert_eq!(phase(&book, "done"), None);
    assert_eq!(book.accept(order("y"), NOW), Err(SendError::Full));
    book.pass_time(NOW + Duration::from_secs(10));
    assert_eq!(phase(&book, "late"), Some(Phase::Partial));
    assert_eq!(book.accept(order("y"), NOW), Ok(false));
    assert_eq!((phase(&book, "late"), phase(&book, "new")), (None, Some(Phase::Partial)));
}

#[test]
fn a_partial_order_may_still_become_complete() {
    let mut book = book(10, 10);
    book.accept(order("a"), NOW).unwrap();
    book.published("a", at(1), NOW);
    assert_eq!(book.rest(NOW), Some(TICK));
    let later = NOW + Duration::from_secs(10);
    book.pass_time(later);
    assert_eq!(phase(&book, "a"), Some(Phase::Partial));
    assert_eq!(book.due(9), [("a".to_owned(), at(1))]);
    book.judged("a", &at(1), verdict(Judgement::Complete), later);
    assert_eq!(phase(&book, "a"), Some(Phase::Complete));
    assert_eq!(book.rest(later), None);
    assert_eq!(book.bytes, 0, "only the report is left");
    book.pass_time(later + SenderSettings::default().keep);
    assert_eq!(phase(&book, "a"), None);
}

#[test]
fn what_was_lost_is_published_again_ever_more_slowly() {
    let mut book = book(10, 10);
    book.accept(order("a"), NOW).unwrap();
    book.published("a", at(1), NOW);
    book.judged("a", &at(1), verdict(Judgement::Lost), NOW);
    assert!(!book.report("a", NOW).unwrap().replicated);
    assert_eq!(book.front().unwrap().id, "a");
    book.published("a", at(2), NOW);
    book.judged("a", &at(1), verdict(Judgement::Complete), NOW);
    assert_eq!(phase(&book, "a"), Some(Phase::Applying), "that was the other entry");
    book.judged("a", &at(2), verdict(Judgement::Lost), NOW);
    assert_eq!(book.queued(), 0, "not at once");
    let later = NOW + Duration::from_secs(1);
    book.judged("a", &at(2), verdict(Judgement::Lost), later);
    book.published("a", at(3), later);
    book.judged("a", &at(3), verdict(Judgement::Lost), later + Duration::from_secs(1));
    assert_eq!(book.queued(), 0);
    book.judged("a", &at(3), verdict(Judgement::Lost), later + Duration::from_secs(2));
    assert_eq!(book.queued(), 1);
}

#[test]
fn an_acknowledgement_that_never_comes_is_asked_for_again() {
    let mut book = book(10, 10);
    book.accept(order("a"), NOW).unwrap();
    book.published("a", at(1), NOW);
    let silent = || Verdict { unanswered: true, ..verdict(Judgement::Waiting) };
    book.judged("a", &at(1), silent(), NOW);
    book.judged("a", &at(1), silent(), NOW + Duration::from_secs(4));
    assert_eq!(book.queued(), 0);
    book.judged("a", &at(1), silent(), NOW + Duration::from_secs(5));
    assert_eq!(book.queued(), 1);
}

#[test]
fn what_is_complete_stays_so_and_is_kept_for_who_is_cut_off() {
    let mut book = book(10, 10);
    book.accept(order("a"), NOW).unwrap();
    book.published("a", at(1), NOW);
    let owed = Verdict { owed: true, ..verdict(Judgement::Complete) };
    book.judged("a", &at(1), owed.clone(), NOW);
    assert_eq!(phase(&book, "a"), Some(Phase::Complete));
    book.judged("a", &at(1), Verdict { again: true, ..owed }, NOW);
    assert_eq!(book.front().unwrap().id, "a", "the entry was lost");
    book.published("a", at(2), NOW);
    book.judged("a", &at(2), verdict(Judgement::Waiting), NOW);
    assert_eq!(phase(&book, "a"), Some(Phase::Complete));
    book.judged("a", &at(2), verdict(Judgement::Complete), NOW);
    assert_eq!(book.rest(NOW), None);
}

#[test]
fn matches_are_not_counted_twice_when_it_is_applied_twice() {
    let mut book = book(10, 10);
    book.accept(order("a"), NOW).unwrap();
    book.published("a", at(1), NOW);
    let node = |matched| NodeReport {
        name: "n".into(),
        state: NodeState::Done,
        matched: Some(matched),
        error: None,
    };
    let first = Verdict { nodes: vec![node(7)], ..verdict(Judgement::Lost) };
    book.judged("a", &at(1), first, NOW);
    book.published("a", at(2), NOW);
    let second = Verdict { nodes: vec![node(1)], ..verdict(Judgement::Complete) };
    book.judged("a", &at(2), second, NOW);
    let report = book.report("a", NOW).unwrap();
    assert_eq!((report.matched, report.nodes[0].matched), (7, Some(7)));
}

#[test]
fn what_is_watched_loosely_has_its_turn() {
    let mut book = book(10, 10);
    for n in 0..5 {
        let id = n.to_string();
        book.accept(order(&id), NOW).unwrap();
        book.published(&id, at(n), NOW);
    }
    book.pass_time(NOW + Duration::from_secs(10));
    let mut turns = || book.due(2).into_iter().map(|(id, _)| id).collect::<String>();
    assert_eq!([turns(), turns(), turns()], ["01", "23", "40"]);
}
