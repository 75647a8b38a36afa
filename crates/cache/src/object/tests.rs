use super::Object;
use crate::body::Body;
use crate::eviction::NODE;

#[test]
fn what_every_object_takes_stays_small() {
    // Beside key, fields and body: these two with their counters, a node, an index slot, and what
    // `Bytes` allocates twice. P2 promises 400 bytes.
    assert!(size_of::<Object>() <= 152, "{}", size_of::<Object>());
    assert!(size_of::<Body>() <= 80, "{}", size_of::<Body>());
    assert_eq!(NODE, 32);
}
