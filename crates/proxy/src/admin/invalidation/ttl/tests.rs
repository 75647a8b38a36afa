use serde_json::{Value, json};

use super::*;

fn read(said: Value) -> Result<u64, String> {
    let tree: Tree = serde_json::from_value(said).unwrap();
    milliseconds(&tree, "ttl").map_err(|bad| bad.field)
}

#[test]
fn times_are_texts_with_units_or_whole_seconds() {
    for (said, ms) in [
        (json!("1s"), 1_000),
        (json!("90s"), 90_000),
        (json!("5m"), 300_000),
        (json!("1h"), 3_600_000),
        (json!("1h30m"), 5_400_000),
        (json!("1500ms"), 1_500),
        (json!("30d"), MOST_MS),
        (json!("720h"), MOST_MS),
        (json!(1), 1_000),
        (json!(2_592_000), MOST_MS),
    ] {
        assert_eq!(read(said.clone()), Ok(ms), "{said}");
    }
}

#[test]
fn what_is_no_time_or_out_of_range_is_refused() {
    for said in [
        json!(""),
        json!("90"),
        json!("s"),
        json!("1 h"),
        json!("1.5h"),
        json!("-1h"),
        json!("+1h"),
        json!("1w"),
        json!("1H"),
        json!("1hh"),
        json!("1h30"),
        json!("999ms"),
        json!("30d1s"),
        json!("99999999999999999999d"),
        json!("18446744073709551615d"),
        json!(0),
        json!(-1),
        json!(1.5),
        json!(2_592_001),
        json!(u64::MAX),
        json!(true),
        json!(["1h"]),
        json!(null),
    ] {
        assert_eq!(read(said.clone()), Err("ttl".to_owned()), "{said}");
    }
}
