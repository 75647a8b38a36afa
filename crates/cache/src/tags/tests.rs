use super::{Tagged, Tags};

#[test]
fn tags_come_back_in_order() {
    let long = vec![b'x'; 70_000];
    let tags: Tags = [b"a".as_slice(), b"", b"product-17", &long].into_iter().collect();
    assert_eq!(tags.iter().collect::<Vec<_>>(), [b"a".as_slice(), b"", b"product-17"]);
    assert!(!tags.is_empty());
}

#[test]
fn no_tags_cost_nothing() {
    assert!(Tags::new([]).is_empty());
    assert_eq!(Tagged::default().heap(), 0);
    assert_eq!(size_of::<Tagged>(), 8);
}
