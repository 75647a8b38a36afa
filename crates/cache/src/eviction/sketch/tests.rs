use super::Sketch;

fn hash(n: u64) -> u64 {
    n.wrapping_mul(0x2545_f491_4f6c_dd1d).rotate_left(17)
}

#[test]
fn frequent_ones_stand_out() {
    let mut sketch = Sketch::new();
    for n in 0..800 {
        sketch.add(hash(n));
    }
    for _ in 0..8 {
        sketch.add(hash(7));
    }
    assert!(sketch.estimate(hash(7)) >= 9);
    let wrong = (1_000..2_000).filter(|n| sketch.estimate(hash(*n)) > 2).count();
    assert!(wrong < 50, "{wrong}");
}

#[test]
fn counts_age() {
    let mut sketch = Sketch::new();
    for _ in 0..15 {
        sketch.add(hash(1));
    }
    let before = sketch.estimate(hash(1));
    for n in 10..20_000 {
        sketch.add(hash(n));
    }
    assert!(sketch.estimate(hash(1)) < before);
}

#[test]
fn growing_keeps_what_was_counted() {
    let mut sketch = Sketch::new();
    for n in 0..500 {
        for _ in 0..=n % 10 {
            sketch.add(hash(n));
        }
    }
    let before: Vec<u8> = (0..500).map(|n| sketch.estimate(hash(n))).collect();
    sketch.fit(5_000);
    assert_eq!(sketch.bytes(), 8_192 * 8);
    assert_eq!(before, (0..500).map(|n| sketch.estimate(hash(n))).collect::<Vec<_>>());
}
