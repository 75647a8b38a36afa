use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering::SeqCst};
use std::task::{Context, Waker};

use tokio::task::{JoinHandle, JoinSet, yield_now};
use tokio::time::sleep;

use super::*;
use crate::random::Sequence;

const LONG: Duration = Duration::from_secs(3600);

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

fn admission(limit: u32) -> Admission {
    Admission::new(limit, AdmissionSettings { queue: 100_000, queue_per_flow: 100_000 })
}

/// What a queue looks like that nobody uses.
fn assert_empty(admission: &Admission) {
    let state = admission.shared.lock();
    assert_eq!((state.in_flight, state.waiting), (0, 0));
    assert!(state.flows.is_empty() && state.turns.is_empty() && state.pushed_out.is_empty());
}

/// Starts a task that waits for `flow`'s turn, writes `name` down and holds the permit for 10 ms;
/// returns when it waits.
async fn join(
    admission: &Admission,
    order: &Arc<Mutex<Vec<u32>>>,
    flow: u64,
    name: u32,
) -> JoinHandle<()> {
    let (admission, order) = (admission.clone(), order.clone());
    let task = tokio::spawn(async move {
        let _permit = admission.acquire(flow, LONG).await.unwrap();
        order.lock().push(name);
        sleep(ms(10)).await;
    });
    yield_now().await;
    task
}

#[tokio::test(start_paused = true)]
async fn one_greedy_flow_does_not_keep_others_waiting() {
    let admission = admission(1);
    let order = Arc::default();
    let first = admission.acquire(1, LONG).await.unwrap();
    let mut tasks = Vec::new();
    for name in 100..200 {
        tasks.push(join(&admission, &order, 1, name).await);
    }
    for (flow, name) in [(2, 0), (3, 1), (2, 2), (3, 3)] {
        tasks.push(join(&admission, &order, flow, name).await);
    }
    assert_eq!(admission.waiting(), 104);
    drop(first);
    for task in tasks {
        task.await.unwrap();
    }
    let order = order.lock();
    // In turns as long as three flows wait; then the greedy one alone, in its order.
    assert_eq!(order[..7], [100, 0, 1, 101, 2, 3, 102]);
    assert_eq!(order[7..], (103..200).collect::<Vec<_>>());
    assert_empty(&admission);
}

#[tokio::test(start_paused = true)]
async fn a_flow_that_comes_back_goes_behind() {
    let admission = admission(1);
    let order = Arc::default();
    let first = admission.acquire(1, LONG).await.unwrap();
    let mut tasks = Vec::new();
    for (flow, name) in [(1, 0), (2, 1), (3, 2)] {
        tasks.push(join(&admission, &order, flow, name).await);
    }
    drop(first);
    // Flow 1 is served and its queue empty; its next request waits for 2 and 3.
    sleep(ms(5)).await;
    tasks.push(join(&admission, &order, 1, 3).await);
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(*order.lock(), [0, 1, 2, 3]);
}

#[tokio::test(start_paused = true)]
async fn who_waits_too_long_is_told_and_gone() {
    let admission = admission(1);
    let held = admission.acquire(1, LONG).await.unwrap();
    let start = Instant::now();
    let refused = admission.acquire(2, ms(1500)).await.unwrap_err();
    assert_eq!(start.elapsed(), ms(1500));
    assert_eq!(refused.as_str(), "queue-timeout");
    // Its own wait is all that is known: 1.5 s for one under way and nobody waiting.
    assert_eq!(refused.retry_after(), 2);
    assert_eq!((admission.in_flight(), admission.waiting()), (1, 0));
    drop(held);
    assert_empty(&admission);
    drop(admission.acquire(2, Duration::ZERO).await.unwrap());
    assert_empty(&admission);
}

#[tokio::test(start_paused = true)]
async fn the_queue_is_bounded_for_each_flow_and_in_all() {
    let admission = Admission::new(0, AdmissionSettings { queue: 3, queue_per_flow: 2 });
    let order = Arc::default();
    let mut tasks = Vec::new();
    for name in 0..2 {
        tasks.push(join(&admission, &order, 1, name).await);
    }
    let refused = admission.acquire(1, LONG).await.unwrap_err();
    assert_eq!(refused.as_str(), "queue-full");
    assert!(refused.retry_after() >= 1);
    tasks.push(join(&admission, &order, 2, 2).await);
    // Of another flow with as many as the longest nobody may come.
    assert!(matches!(admission.acquire(2, LONG).await, Err(Refused::Full { .. })));
    // Who leaves makes room.
    tasks.remove(0).abort();
    yield_now().await;
    tasks.push(join(&admission, &order, 3, 3).await);
    assert_eq!(admission.waiting(), 3);
    admission.set_queue(AdmissionSettings { queue: 4, queue_per_flow: 2 });
    tasks.push(join(&admission, &order, 4, 4).await);
    assert_eq!(admission.waiting(), 4);
    admission.set_limit(1);
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(*order.lock(), [1, 2, 3, 4]);
    assert_empty(&admission);
}

#[tokio::test(start_paused = true)]
async fn busy_flows_cannot_fill_the_queue_against_others() {
    let admission = Admission::new(0, AdmissionSettings { queue: 6, queue_per_flow: 5 });
    let greedy: Vec<_> = (0..5)
        .map(|_| {
            let admission = admission.clone();
            tokio::spawn(async move { admission.acquire(1, LONG).await.map(drop) })
        })
        .collect();
    yield_now().await;
    let order = Arc::default();
    let mut tasks = Vec::new();
    for (flow, name) in [(2, 0), (2, 1), (3, 2), (4, 3)] {
        tasks.push(join(&admission, &order, flow, name).await);
        yield_now().await;
    }
    assert_eq!(admission.waiting(), 6);
    // The last three of the greedy flow had to go, and know it at once.
    let gone: Vec<_> = greedy.iter().map(JoinHandle::is_finished).collect();
    assert_eq!(gone, [false, false, true, true, true]);
    // Now nobody has two more than a newcomer would.
    assert!(matches!(admission.acquire(3, LONG).await, Err(Refused::Full { .. })));
    admission.set_limit(1);
    let mut outcomes = Vec::new();
    for task in greedy {
        outcomes.push(task.await.unwrap().map_err(Refused::as_str));
    }
    assert_eq!(outcomes[..2], [Ok(()), Ok(())]);
    assert_eq!(outcomes[2..], [Err("queue-full"); 3]);
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(*order.lock(), [0, 2, 3, 1]);
    assert_empty(&admission);
}

#[tokio::test(start_paused = true)]
async fn one_who_is_pushed_out_and_leaves_takes_no_permit_along() {
    let admission = Admission::new(1, AdmissionSettings { queue: 2, queue_per_flow: 2 });
    let held = admission.acquire(1, LONG).await.unwrap();
    let order = Arc::default();
    let stays = join(&admission, &order, 1, 0).await;
    let leaves = join(&admission, &order, 1, 1).await;
    let mut comes = Box::pin(admission.acquire(2, LONG));
    // It takes the place of the second, which is aborted before it runs again.
    let mut context = Context::from_waker(Waker::noop());
    assert!(comes.as_mut().poll(&mut context).is_pending());
    leaves.abort();
    assert!(leaves.await.unwrap_err().is_cancelled());
    assert_eq!((admission.in_flight(), admission.waiting()), (1, 2));
    drop(held);
    stays.await.unwrap();
    drop(comes.await.unwrap());
    assert_empty(&admission);
}

#[tokio::test(start_paused = true)]
async fn a_higher_limit_serves_at_once_and_a_lower_one_waits() {
    let admission = admission(1);
    let order = Arc::default();
    let mut tasks = Vec::new();
    for name in 0..10 {
        tasks.push(join(&admission, &order, u64::from(name % 2), name).await);
    }
    assert_eq!((admission.in_flight(), admission.waiting()), (1, 9));
    admission.set_limit(4);
    assert_eq!((admission.in_flight(), admission.waiting()), (4, 6));
    yield_now().await;
    // In turns: flow 1 was first to wait.
    assert_eq!(*order.lock(), [0, 1, 2, 3]);
    admission.set_limit(2);
    assert_eq!((admission.in_flight(), admission.limit()), (4, 2));
    sleep(ms(15)).await;
    assert_eq!(admission.in_flight(), 2);
    admission.set_limit(0);
    sleep(ms(100)).await;
    assert_eq!((admission.in_flight(), admission.waiting()), (0, 4));
    admission.set_limit(u32::MAX);
    for task in tasks {
        task.await.unwrap();
    }
    assert_empty(&admission);
}

#[tokio::test(start_paused = true)]
async fn one_who_is_served_and_leaves_passes_the_permit_on() {
    let admission = admission(1);
    let order = Arc::default();
    let held = admission.acquire(1, LONG).await.unwrap();
    let leaves = join(&admission, &order, 2, 0).await;
    let stays = join(&admission, &order, 2, 1).await;
    // Served, but aborted before it runs again.
    drop(held);
    leaves.abort();
    stays.await.unwrap();
    assert!(leaves.await.unwrap_err().is_cancelled());
    assert_eq!(*order.lock(), [1]);
    assert_empty(&admission);
}

#[tokio::test(start_paused = true)]
async fn served_at_the_very_end_of_the_time_is_served() {
    let admission = admission(1);
    let held = admission.acquire(1, LONG).await.unwrap();
    let waits = {
        let admission = admission.clone();
        tokio::spawn(async move { admission.acquire(2, ms(100)).await.map(drop) })
    };
    yield_now().await;
    // Both due at the same tick; whichever runs first, nothing is lost.
    sleep(ms(100)).await;
    drop(held);
    let served = waits.await.unwrap();
    assert!(matches!(served, Ok(()) | Err(Refused::TimedOut { .. })));
    assert_empty(&admission);
}

/// Thousands of tasks come, wait, time out, are aborted and go, while the limit changes.
async fn storm(seed: u64, tasks: u64) {
    let admission = Admission::new(8, AdmissionSettings { queue: 300, queue_per_flow: 200 });
    let under_way = Arc::new(AtomicU32::new(0));
    let most = Arc::new(AtomicU32::new(8));
    let (served, refused) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let mut random = Sequence(seed);
    let mut set = JoinSet::new();
    let mut aborts = Vec::new();
    for n in 0..tasks {
        let (admission, under_way, most) = (admission.clone(), under_way.clone(), most.clone());
        let (served, refused) = (served.clone(), refused.clone());
        let (flow, start) = (random.next() % 7, random.next() % 400);
        let (hold, patience) = (random.next() % 5, random.next() % 300);
        let abort = set.spawn(async move {
            sleep(ms(start)).await;
            match admission.acquire(flow, ms(patience)).await {
                Ok(_permit) => {
                    let now = under_way.fetch_add(1, SeqCst) + 1;
                    // Dropped with the task too, if it is aborted.
                    let _leave = Leave(&under_way);
                    assert!(now <= most.load(SeqCst), "{now} at once");
                    sleep(ms(hold)).await;
                    served.fetch_add(1, SeqCst);
                }
                Err(_) => {
                    refused.fetch_add(1, SeqCst);
                }
            }
        });
        if n % 5 == 0 {
            aborts.push(abort);
        }
    }
    for round in 0..60 {
        sleep(ms(7)).await;
        let limit = (random.next() % 16) as u32;
        // Permits of a higher limit stay out for a while after it falls.
        most.fetch_max(limit, SeqCst);
        admission.set_limit(limit);
        if round % 10 == 0 {
            sleep(ms(5)).await;
            assert!(admission.in_flight() <= limit);
            assert!(admission.in_flight() == limit || admission.waiting() == 0);
        }
        for _ in 0..aborts.len() / 30 {
            let at = random.next() as usize % aborts.len();
            aborts.swap_remove(at).abort();
        }
    }
    admission.set_limit(3);
    most.store(16, SeqCst);
    let mut ended = 0;
    while let Some(result) = set.join_next().await {
        ended += 1;
        assert!(result.is_ok() || result.is_err_and(|error| error.is_cancelled()));
    }
    assert_eq!(ended, tasks);
    assert!(served.load(SeqCst) > 100, "{served:?}");
    assert!(refused.load(SeqCst) > 100, "{refused:?}");
    assert_eq!(under_way.load(SeqCst), 0);
    assert_empty(&admission);
}

struct Leave<'a>(&'a AtomicU32);

impl Drop for Leave<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, SeqCst);
    }
}

#[tokio::test(start_paused = true)]
async fn a_storm_of_tasks_never_exceeds_the_limit_and_all_end() {
    for seed in 0..4 {
        storm(seed, 4000).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_wake_up_is_lost_between_threads() {
    let admission = admission(3);
    let under_way = Arc::new(AtomicU32::new(0));
    let mut set = JoinSet::new();
    for n in 0..5000_u64 {
        let (admission, under_way) = (admission.clone(), under_way.clone());
        set.spawn(async move {
            let permit = admission.acquire(n % 5, LONG);
            if n % 4 == 0 {
                // Leaves at some moment of its wait, or of its being served.
                let _ = tokio::time::timeout(Duration::from_micros(n % 977), permit).await;
                return;
            }
            let _permit = permit.await.unwrap();
            assert!(under_way.fetch_add(1, SeqCst) < 3);
            yield_now().await;
            under_way.fetch_sub(1, SeqCst);
        });
    }
    let all = async {
        while let Some(result) = set.join_next().await {
            result.unwrap();
        }
    };
    tokio::time::timeout(Duration::from_secs(60), all).await.unwrap();
    assert_empty(&admission);
}

#[tokio::test(start_paused = true)]
async fn who_does_not_wait_gets_a_permit_only_if_there_is_room() {
    let admission = Admission::new(1, AdmissionSettings::default());
    let permit = admission.try_acquire().unwrap();
    assert!(admission.try_acquire().is_none());
    assert_eq!((admission.in_flight(), admission.waiting()), (1, 0));
    drop(permit);
    assert!(admission.try_acquire().is_some());
}
