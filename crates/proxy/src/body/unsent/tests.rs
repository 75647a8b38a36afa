use std::sync::atomic::AtomicUsize;
use std::task::Wake;

use super::*;

#[derive(Default)]
struct Woken(AtomicUsize);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

fn piece(unsent: &Unsent, length: usize) -> Bytes {
    unsent.count(vec![b'x'; length].into())
}

#[test]
fn the_next_piece_waits_until_enough_is_sent() {
    let woken = Arc::new(Woken::default());
    let waker = Waker::from(woken.clone());
    let cx = Context::from_waker(&waker);
    let all = AllUnsent::default();
    let others = Unsent::new(&all);
    let theirs = piece(&others, PLENTY);
    let unsent = Unsent::new(&all);
    let mut pieces = Vec::new();
    while unsent.poll_room(&cx).is_ready() {
        pieces.push(piece(&unsent, 48 << 10));
    }
    assert_eq!(pieces.len(), 3);
    // A part of a piece keeps all of it.
    let part = pieces.remove(0).split_off(1);
    assert!(unsent.poll_room(&cx).is_pending());
    assert_eq!(woken.0.load(Ordering::SeqCst), 0);
    drop(part);
    assert_eq!(woken.0.load(Ordering::SeqCst), 1);
    assert!(unsent.poll_room(&cx).is_ready());
    // Where a node has little of it in all, one may have more.
    pieces.push(piece(&unsent, EACH));
    assert!(unsent.poll_room(&cx).is_pending());
    drop(theirs);
    assert!(unsent.poll_room(&cx).is_ready());
    drop(pieces);
    let left = [&unsent.0.bytes, &all.0].map(|bytes| bytes.load(Ordering::SeqCst));
    assert_eq!(left, [0, 0]);
}
