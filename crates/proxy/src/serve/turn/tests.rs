use std::cell::RefCell;
use std::future::poll_fn;
use std::rc::Rc;

use tokio::runtime::{Builder, Runtime};
use tokio::task::{LocalSet, spawn_local, yield_now};

use super::*;

fn runtime() -> Runtime {
    Builder::new_current_thread().build().unwrap()
}

#[tokio::test]
async fn to_ask_again_in_the_same_breath_gives_no_turn() {
    let mut turn = Turn::default();
    let asks = poll_fn(|cx| Poll::Ready([turn.poll(cx), turn.poll(cx)]));
    assert_eq!(asks.await, [Poll::Ready(()); 2], "nothing was written");
    turn.end();
    let asks = poll_fn(|cx| Poll::Ready([turn.poll(cx), turn.poll(cx), turn.poll(cx)]));
    assert_eq!(asks.await, [Poll::Pending; 3]);
    yield_now().await;
    assert_eq!(poll_fn(|cx| Poll::Ready(turn.poll(cx))).await, Poll::Ready(()));
}

#[tokio::test]
async fn turns_come_in_the_order_in_which_they_ended() {
    let written = Rc::new(RefCell::new(Vec::new()));
    let local = LocalSet::new();
    for name in ['a', 'b', 'c', 'd'] {
        let written = written.clone();
        local.spawn_local(async move {
            let mut turn = Turn::default();
            for _ in 0..5 {
                poll_fn(|cx| turn.poll(cx)).await;
                written.borrow_mut().push(name);
                turn.end();
            }
        });
    }
    local.await;
    assert_eq!(String::from_iter(written.take()), "abcd".repeat(5));
}

#[tokio::test]
async fn others_run_before_the_next_turn_comes() {
    let others = Rc::new(RefCell::new(0));
    let local = LocalSet::new();
    let counts = others.clone();
    let all = local.run_until(async move {
        let mut turn = Turn::default();
        turn.end();
        for _ in 0..3 {
            let counts = counts.clone();
            spawn_local(async move { *counts.borrow_mut() += 1 });
        }
        poll_fn(|cx| turn.poll(cx)).await;
        *counts.borrow()
    });
    assert_eq!(all.await, 3);
}

/// As when a client leaves: what it waited for is of no use to the next, and holds nobody up.
#[test]
fn a_runtime_that_ended_with_some_waiting_leaves_the_next_one_its_turns() {
    let mut lost = Turn::default();
    lost.end();
    runtime().block_on(async {
        assert_eq!(poll_fn(|cx| Poll::Ready(lost.poll(cx))).await, Poll::Pending);
    });
    runtime().block_on(async {
        let mut turn = Turn::default();
        for _ in 0..3 {
            turn.end();
            poll_fn(|cx| turn.poll(cx)).await;
        }
    });
    runtime().block_on(poll_fn(|cx| lost.poll(cx)));
}

#[test]
fn another_task_may_wait_on() {
    runtime().block_on(async {
        let mut turn = Turn::default();
        turn.end();
        assert_eq!(poll_fn(|cx| Poll::Ready(turn.poll(cx))).await, Poll::Pending);
        tokio::spawn(async move { poll_fn(|cx| turn.poll(cx)).await }).await.unwrap();
    });
}
