use super::*;

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

#[test]
fn what_is_older_than_the_window_is_forgotten() {
    let mut window = Window::new(ms(1000));
    window.add(ms(50), [1, 0]);
    window.add(ms(450), [2, 1]);
    assert_eq!(window.sums(ms(999)), [3, 1]);
    assert_eq!(window.sums(ms(1050)), [2, 1]);
    assert_eq!(window.sums(ms(1399)), [2, 1]);
    assert_eq!(window.sums(ms(1400)), [0, 0]);
}

#[test]
fn a_long_silence_clears_it_at_once() {
    let mut window = Window::new(ms(1000));
    window.add(ms(10), [u32::MAX, u32::MAX]);
    assert_eq!(window.sums(Duration::MAX), [0, 0]);
    window.add(Duration::MAX, [1, 2]);
    assert_eq!(window.sums(Duration::MAX), [1, 2]);
}

#[test]
fn a_clock_that_lags_loses_nothing() {
    let mut window = Window::new(ms(1000));
    window.add(ms(5000), [1, 1]);
    window.add(ms(3000), [1, 0]);
    assert_eq!(window.sums(ms(0)), [2, 1]);
    assert_eq!(window.sums(ms(5000)), [2, 1]);
}

#[test]
fn no_length_is_no_memory_and_no_division_by_zero() {
    let mut window = Window::new(Duration::ZERO);
    window.add(ms(1), [1, 1]);
    assert_eq!(window.sums(ms(1)), [1, 1]);
    assert_eq!(window.sums(ms(2)), [0, 0]);
}

#[test]
fn cleared_is_empty() {
    let mut window = Window::new(ms(1000));
    window.add(ms(1), [1, 1]);
    window.clear();
    assert_eq!(window.sums(ms(1)), [0, 0]);
    window.add(ms(1), [1, 0]);
    assert_eq!(window.sums(ms(900)), [1, 0]);
}
