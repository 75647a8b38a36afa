use super::*;

#[test]
fn what_is_declared_is_in_the_text_with_the_common_labels() {
    let metrics = Metrics::with_labels(&[("node", "fra-0")]).unwrap();
    metrics.counter("cdn_things_total", "Things.").unwrap().inc_by(3);
    let text = metrics.text();
    assert!(text.contains("cdn_things_total{node=\"fra-0\"} 3"), "{text}");
}

#[test]
fn a_name_cannot_be_declared_twice() {
    let metrics = Metrics::default();
    metrics.counter("a_total", "A.").unwrap();
    assert!(metrics.counter("a_total", "A.").is_err());
}

#[test]
fn registries_merge_into_one_scrape() {
    let nodes = ["a", "b"].map(|node| {
        let metrics = Metrics::with_labels(&[("node", node)]).unwrap();
        metrics.counter("cdn_things_total", "Things.").unwrap().inc();
        metrics
    });
    let text = merged_text(&nodes);
    assert_eq!(text.matches("# TYPE cdn_things_total").count(), 1, "{text}");
    assert!(text.contains("{node=\"a\"} 1") && text.contains("{node=\"b\"} 1"), "{text}");
}
