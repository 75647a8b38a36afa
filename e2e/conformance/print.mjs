// Outcomes for the eye.

import { isPass, KINDS } from './compare.mjs'

/** A line for each kind: how many of how many, and how the others came out. */
export function printTally (counts) {
  for (const kind of KINDS) {
    const entries = Object.entries(counts[kind])
    const total = entries.reduce((sum, [, n]) => sum + n, 0)
    const passed = entries.reduce((sum, [outcome, n]) => sum + (isPass(outcome) ? n : 0), 0)
    const rest = entries.filter(([outcome]) => !isPass(outcome)).map(([outcome, n]) => `${n} ${outcome}`)
    console.log(`${kind.padEnd(9)} ${String(passed).padStart(3)}/${total}${rest.length ? `  (${rest.join(', ')})` : ''}`)
  }
}

/** The outcomes one by one, under a title; nothing if there are none. */
export function print (outcomes, title = 'one by one') {
  const entries = Object.entries(outcomes)
  if (entries.length === 0) return
  console.log(`\n${title} (${entries.length}):`)
  for (const [id, { kind, outcome, reason }] of entries) {
    console.log(`  ${id.padEnd(44)} ${kind.padEnd(8)} ${outcome}${reason ? `  ${reason}` : ''}`)
  }
}
