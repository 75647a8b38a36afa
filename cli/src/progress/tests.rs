use super::*;

fn report(phase: Phase, nodes: &[(&str, NodeState)]) -> PurgeReport {
    let node = |(name, state): &(&str, NodeState)| wire::invalidation::NodeReport {
        name: (*name).to_owned(),
        state: *state,
        matched: None,
        error: None,
    };
    PurgeReport {
        id: "p".to_owned(),
        phase,
        position: None,
        replicated: true,
        matched: 0,
        counting: false,
        took_ms: 0,
        nodes: nodes.iter().map(node).collect(),
    }
}

fn shown(rewrites: bool, reports: &[PurgeReport]) -> String {
    let mut out = Vec::new();
    let mut progress = Progress::new(rewrites);
    for report in reports {
        progress.show(report, &mut out);
    }
    progress.clear(&mut out);
    String::from_utf8(out).unwrap()
}

#[test]
fn a_line_for_each_change() {
    use NodeState::{Done, Waiting};
    let reports = [
        report(Phase::Applying, &[("a", Waiting), ("b", Waiting)]),
        report(Phase::Applying, &[("a", Done), ("b", Waiting)]),
        report(Phase::Applying, &[("a", Done), ("b", Waiting)]),
        report(Phase::Complete, &[("a", Done), ("b", Done)]),
    ];
    assert_eq!(
        shown(false, &reports),
        "applying: 0 of 2 nodes, waiting for a, b\na: done\ncomplete: 2 of 2 nodes\nb: done\n"
    );
}

#[test]
fn one_line_that_goes_away() {
    let many: Vec<_> = (0..30).map(|n| format!("node-{n}")).collect();
    let nodes: Vec<_> = many.iter().map(|name| (name.as_str(), NodeState::Waiting)).collect();
    let text = shown(true, &[report(Phase::Applying, &nodes), report(Phase::Complete, &[])]);
    assert!(!text.contains('\n') && text.ends_with("\r\x1b[K"), "{text:?}");
    for line in text.split("\r\x1b[K") {
        assert!(line.chars().count() < 80, "{line:?}");
    }
}

#[test]
fn the_same_note_is_made_once() {
    let mut out = Vec::new();
    let mut progress = Progress::new(false);
    progress.note("gone", &mut out);
    progress.note("gone", &mut out);
    progress.show(&report(Phase::Partial, &[]), &mut out);
    progress.note("gone", &mut out);
    assert_eq!(String::from_utf8(out).unwrap(), "gone\npartial: 0 of 0 nodes\ngone\n");
}
