// What a run's outcomes mean beside the expected ones. Nothing here reads or prints.

export const KINDS = ['required', 'optimal', 'check']

/**
 * Required tests that no cache in front of an origin can pass: the origin hangs up, and the suite then
 * takes for "not from the cache" only an answer with a count that the origin itself writes into its
 * answers. Whatever the cache answers, the count is missing. That nothing stale is served in these
 * cases is held by a test of our own (`e2e/tests/it/staleness.rs`).
 */
export const UNPASSABLE = new Set([
  'stale-close-must-revalidate',
  'stale-close-proxy-revalidate',
  'stale-close-no-cache',
  'stale-close-s-maxage=2'
])

/** An outcome that the suite counts as passed; `yes` is that of a mere check. */
export function isPass (outcome) {
  return outcome === 'pass' || outcome === 'yes'
}

/** Whether a test should have passed and did not; a check has no should. */
export function isFailure ({ kind, outcome }) {
  return kind !== 'check' && !isPass(outcome)
}

/** Counts by kind: { required: { pass: 3, fail: 1, … }, … }. */
export function tally (outcomes) {
  const counts = Object.fromEntries(KINDS.map(kind => [kind, {}]))
  for (const { kind, outcome } of Object.values(outcomes)) {
    counts[kind][outcome] = (counts[kind][outcome] ?? 0) + 1
  }
  return counts
}

/** The ids explained in the text: each on a line "- `id`: why". */
export function readExplained (text) {
  return new Map([...text.matchAll(/^- `([^`]+)`: (.*\S)/gm)].map(([, id, why]) => [id, why]))
}

/**
 * Sorts ids under what is to be told about them: `faults` fail the run, `notes` do not.
 *
 * A required test that fails is a fault even when expected, but for the unpassable. One that could not be judged, because
 * its setup or a test it depends on failed, is one only if it is unexpected or unexplained.
 */
export function judge (expected, outcomes, explained) {
  const ids = Object.keys(outcomes)
  const failing = ids.filter(id => isFailure(outcomes[id]))
  const notJudged = ['setup_fail', 'dependency_fail']
  return {
    notes: {
      'new passes, keep them with --bless': ids.filter(id => isPass(outcomes[id].outcome) && !isPass(expected[id])),
      'still failing, but otherwise': ids.filter(id => {
        return !isPass(outcomes[id].outcome) && id in expected && !isPass(expected[id]) && expected[id] !== outcomes[id].outcome
      }),
      'explained in explained.md, though they pass': [...explained.keys()].filter(id => id in outcomes && !failing.includes(id))
    },
    faults: {
      regressions: ids.filter(id => !isPass(outcomes[id].outcome) && isPass(expected[id])),
      'required, and failing': failing.filter(id => outcomes[id].kind === 'required' && !notJudged.includes(outcomes[id].outcome) && !UNPASSABLE.has(id)),
      'failing, and new to expected.json': failing.filter(id => !(id in expected)),
      'failing without a line in explained.md': failing.filter(id => !explained.has(id)),
      'expected, but gone from the suite': Object.keys(expected).filter(id => !(id in outcomes))
    }
  }
}
