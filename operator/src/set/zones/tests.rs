use super::*;

/// What cannot be beside another is a multiple of it.
fn build(numbers: &[u32]) -> Result<Vec<u32>, u32> {
    for (nth, number) in numbers.iter().enumerate() {
        if numbers[..nth].iter().any(|other| number % other == 0) {
            return Err(*number);
        }
    }
    Ok(numbers.to_vec())
}

#[test]
fn as_many_as_can_be_are_built_and_each_other_one_is_named() {
    assert_eq!(as_many_as_can_be(&[2, 3, 5], build), Ok((vec![2, 3, 5], vec![])));
    assert_eq!(as_many_as_can_be(&[], build), Ok((vec![], vec![])));
    let found = as_many_as_can_be(&[2, 4, 3, 5, 9, 7, 10], build);
    assert_eq!(found, Ok((vec![2, 3, 5, 7], vec![(1, 4), (4, 9), (6, 10)])));
    let found = as_many_as_can_be(&[2, 4, 6, 8], build);
    assert_eq!(found, Ok((vec![2], vec![(1, 4), (2, 6), (3, 8)])));
    let none = |numbers: &[u32]| if numbers.is_empty() { Ok(0) } else { Err(numbers.len()) };
    assert_eq!(as_many_as_can_be(&[1, 1], none), Ok((0, vec![(0, 1), (1, 1)])));
    assert_eq!(as_many_as_can_be(&[1], |_| Err::<(), _>("no")), Err("no"));
}
