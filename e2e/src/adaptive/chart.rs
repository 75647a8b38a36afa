//! Throughput, latency and limit over time, below each other, as SVG.

use std::fmt::Write;
use std::time::Duration;

use crate::figures::{PHASES, millis, percentile};
use crate::run::Run;
use crate::{SERVICE, WORKERS};

const WIDTH: f64 = 760.0;
const LEFT: f64 = 60.0;
const RIGHT: f64 = 20.0;
const HEIGHT: f64 = 130.0;
const GAP: f64 = 52.0;
const TOP: f64 = 64.0;
/// Of the adaptive limit, and of the fixed one.
const COLOURS: [&str; 2] = ["#1f6feb", "#8b949e"];
/// Over how long values are taken together.
const STEP: Duration = Duration::from_millis(500);

/// A line: values at seconds.
type Line = Vec<(f64, f64)>;

/// The chart of the runs, the adaptive one first.
pub(crate) fn svg(runs: &[Run]) -> String {
    let seconds = runs.first().map_or(1.0, |run| f64::from(run.seconds)) * PHASES.len() as f64;
    let lines = |line: fn(&Run) -> Line| runs.iter().map(line).collect::<Vec<_>>();
    let steps = |full: f64| -> Line {
        let phase = seconds / PHASES.len() as f64;
        let ends = |(place, (_, part)): (usize, &(_, f64))| {
            [0, 1].map(|end| (phase * (place + end) as f64, full * part))
        };
        PHASES.iter().enumerate().flat_map(ends).collect()
    };
    let workers = f64::from(WORKERS);
    let panels = [
        (
            "good answers a second; dashed: what the origin can do",
            lines(throughput),
            steps(workers / SERVICE.as_secs_f64()),
        ),
        ("99th percentile of good answers in ms", lines(latency), Line::new()),
        (
            "requests that the origin may have at once; dashed: its workers",
            lines(limit),
            steps(workers),
        ),
    ];
    let height = TOP + (HEIGHT + GAP) * panels.len() as f64;
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" \
         aria-label=\"Throughput, latency and limit over time\" font-family=\"system-ui, sans-serif\" \
         font-size=\"13\" fill=\"#24292f\">\n<rect width=\"{WIDTH}\" height=\"{height}\" fill=\"#ffffff\"/>\n"
    );
    for (place, (run, colour)) in runs.iter().zip(COLOURS).enumerate() {
        let x = LEFT + 200.0 * place as f64;
        let _ = writeln!(
            text,
            "<rect x=\"{x}\" y=\"14\" width=\"14\" height=\"4\" fill=\"{colour}\"/><text x=\"{}\" y=\"21\">{}</text>",
            x + 20.0,
            run.name()
        );
    }
    for (place, (title, lines, dashed)) in panels.iter().enumerate() {
        panel(&mut text, TOP + (HEIGHT + GAP) * place as f64, seconds, title, lines, dashed);
    }
    text + "</svg>\n"
}

fn panel(text: &mut String, top: f64, seconds: f64, title: &str, lines: &[Line], dashed: &Line) {
    let values = lines.iter().chain([dashed]).flatten().map(|(_, value)| *value);
    let most = round(values.fold(1.0, f64::max));
    let x = |at: f64| LEFT + (WIDTH - LEFT - RIGHT) * at / seconds;
    let y = |value: f64| top + HEIGHT * (1.0 - value / most);
    let _ =
        writeln!(text, "<text x=\"{LEFT}\" y=\"{}\" font-weight=\"600\">{title}</text>", top - 9.0);
    for value in [0.0, most / 2.0, most] {
        let (at, end) = (y(value), WIDTH - RIGHT);
        let _ = writeln!(
            text,
            "<line x1=\"{LEFT}\" y1=\"{at:.1}\" x2=\"{end}\" y2=\"{at:.1}\" stroke=\"#d0d7de\"/>\
             <text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{value:.0}</text>",
            LEFT - 8.0,
            at + 4.0
        );
    }
    let mut at = 0.0;
    while at <= seconds {
        let _ = writeln!(
            text,
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{at:.0} s</text>",
            x(at),
            top + HEIGHT + 18.0
        );
        at += seconds / PHASES.len() as f64;
    }
    let points = |line: &Line| {
        line.iter()
            .map(|(at, v)| format!("{:.1},{:.1}", x(*at), y(*v)))
            .collect::<Vec<_>>()
            .join(" ")
    };
    let _ = writeln!(
        text,
        "<polyline points=\"{}\" fill=\"none\" stroke=\"#d4351c\" stroke-dasharray=\"5 4\"/>",
        points(dashed)
    );
    // The first one on top.
    for (line, colour) in lines.iter().zip(COLOURS).rev() {
        let _ = writeln!(
            text,
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.6\"/>",
            points(line)
        );
    }
}

/// The next number that an axis may end with.
fn round(value: f64) -> f64 {
    let power = 10_f64.powf(value.log10().floor());
    let step = [1.0, 2.0, 4.0, 6.0, 8.0, 10.0].into_iter().find(|step| step * power >= value);
    step.unwrap_or(10.0) * power
}

/// Good answers by when they were there, or asked for, in steps.
fn stepped(run: &Run, at: fn(&crate::run::Asked) -> Duration) -> Vec<Vec<Duration>> {
    let length = run.phase() * PHASES.len() as u32;
    let steps = (length.as_secs_f64() / STEP.as_secs_f64()) as usize;
    let mut all = vec![Vec::new(); steps];
    for asked in run.asked.iter().filter(|asked| asked.status == 200) {
        let step = (at(asked).as_secs_f64() / STEP.as_secs_f64()) as usize;
        if let Some(took) = all.get_mut(step) {
            took.push(asked.took);
        }
    }
    all
}

fn middle(step: usize) -> f64 {
    (step as f64 + 0.5) * STEP.as_secs_f64()
}

fn throughput(run: &Run) -> Line {
    let all = stepped(run, |asked| asked.sent + asked.took);
    let rate = |took: &Vec<Duration>| took.len() as f64 / STEP.as_secs_f64();
    all.iter().enumerate().map(|(step, took)| (middle(step), rate(took))).collect()
}

fn latency(run: &Run) -> Line {
    let mut all = stepped(run, |asked| asked.sent);
    let steps = all.iter_mut().enumerate();
    steps.map(|(step, took)| (middle(step), millis(percentile(took, 99.0)))).collect()
}

fn limit(run: &Run) -> Line {
    run.looks.iter().map(|look| (look.at.as_secs_f64(), look.limit)).collect()
}
