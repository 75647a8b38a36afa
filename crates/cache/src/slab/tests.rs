use super::Slab;

#[test]
fn numbers_are_stable_and_reused() {
    let mut slab = Slab::new();
    let (a, b) = (slab.insert('a'), slab.insert('b'));
    assert_eq!(slab.remove(a), Some('a'));
    assert_eq!(slab.remove(a), None);
    assert_eq!(slab.get_mut(b).copied(), Some('b'));
    assert_eq!(slab.insert('c'), a);
    assert_eq!(slab.len(), 2);
    assert_eq!(slab.iter().copied().collect::<String>(), "cb");
}
