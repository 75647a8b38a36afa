//! The figures as a page in `docs/`.

use std::path::Path;

use e2e::failover::{Figures, Wrong};
use e2e::machine::machine;

/// Writes `docs/benchmarks-failover.md` anew. `others` is what [`e2e::machine::busy`] said before.
pub(crate) fn write(
    figures: &Figures<'_>,
    answers: usize,
    wrong: Wrong,
    others: f64,
) -> anyhow::Result<()> {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs");
    let (processor, cores) = machine();
    let Wrong { empty, errors, timeouts } = wrong;
    let rounds = figures.0.len();
    let [p50, p95, longest] = [50.0, 95.0, 100.0].map(|p| figures.gone_after(p).as_millis());
    let others = others * 100.0;
    let text = format!(
        "# How soon a dead place leaves all answers

Written by `make bench-failover`.

One `geodns` process and the edges of three places, two `edge` processes each, on one machine: {cores} cores of
{processor}. Other work took {others:.0}% of these cores just before the run. Eight clients ask for addresses all the
time, from 64 networks near each place. {rounds} times both edges of a place are killed (SIGKILL); two seconds after
the last answer with the place they are started again. Probes, their limits and times to live are the usual ones; a
share of clients moves within one second (`ramp: 1`) instead of 20, so that a return does not take long.

| from the kill to the last answer with the place | ms |
| --- | ---: |
| p50 | {p50} |
| p95 | {p95} |
| longest | {longest} |

Promised are less than 2,000 ms at the 95th percentile.

| of all the time | |
| --- | ---: |
| answers | {answers} |
| answers without an address | {empty} |
| errors (SERVFAIL and others) | {errors} |
| questions without an answer | {timeouts} |

The time to the last answer with the place, and after its return the part of its clients that gets it first:

```
{figures}```
"
    );
    Ok(std::fs::write(docs.join("benchmarks-failover.md"), text)?)
}
