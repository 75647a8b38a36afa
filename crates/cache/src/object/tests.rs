use super::Object;
use crate::body::Body;
use crate::eviction::NODE;

#[test]
fn what_every_object_takes_stays_small() {
    // Beside key, fields and body: these two with their counters, a node, an index slot, and what
    // `Bytes` allocates twice. P2 promises 400 bytes. With the counters of their `Arc` they fill 160
    // and 80 bytes, sizes that the allocator has; eight more would cost 32 and 16.
    assert!(size_of::<Object>() <= 144, "{}", size_of::<Object>());
    assert!(size_of::<Body>() <= 64, "{}", size_of::<Body>());
    assert_eq!(NODE, 32);
}
