// The public HTTP cache test suite against our edge, or against any cache at --target.

import fs from 'node:fs'
import path from 'node:path'
import { parseArgs } from 'node:util'

import { HOST, startEdge } from './edge.mjs'
import { isFailure, judge, readExplained, tally } from './compare.mjs'
import { print, printTally } from './print.mjs'
import { Failed, stopAll } from './process.mjs'
import { startOrigin } from './origin.mjs'
import { loadSuite } from './suite.mjs'

const here = import.meta.dirname
const explainedFile = path.join(here, 'explained.md')

const { values: options } = parseArgs({
  options: {
    suite: { type: 'string' }, // the folder of the installed suite
    target: { type: 'string' }, // host:port of a cache that is there already
    'origin-port': { type: 'string', default: '0' }, // where that cache looks for the suite's server
    expected: { type: 'string' }, // what to compare with; at a --target nothing, unless given
    only: { type: 'string' }, // the id of one test, shown with every message
    json: { type: 'string' }, // where to write outcomes with the suite's own reasons
    bless: { type: 'boolean', default: false } // what came out now is what is expected
  }
})
const expectedFile = options.expected ?? (options.target ? undefined : path.join(here, 'expected.json'))

async function main () {
  const suite = await loadSuite(options.suite, options.only)
  const originPort = await startOrigin(options.suite, options['origin-port'])
  const target = options.target ?? await startEdge(originPort)
  console.log(`${suite.tests.length} tests against ${target}`)

  const outcomes = await suite.run(`http://${target}`, options.target ? undefined : HOST)
  if (options.json) fs.writeFileSync(options.json, JSON.stringify(outcomes, null, 2) + '\n')
  if (options.only) return print(outcomes)
  printTally(tally(outcomes))
  if (!expectedFile) return print(pick(outcomes, Object.keys(outcomes).filter(id => isFailure(outcomes[id]))))
  if (options.bless) return bless(outcomes)
  return compare(outcomes)
}

function bless (outcomes) {
  const expected = Object.fromEntries(Object.entries(outcomes).map(([id, o]) => [id, o.outcome]))
  fs.writeFileSync(expectedFile, JSON.stringify(expected, null, 2) + '\n')
  console.log(`\n${path.basename(expectedFile)} is rewritten: read the difference before it is committed`)
}

function compare (outcomes) {
  if (!fs.existsSync(expectedFile)) throw new Failed(`there is no ${path.basename(expectedFile)} yet: run once with --bless`)
  const expected = JSON.parse(fs.readFileSync(expectedFile, 'utf8'))
  const verdict = judge(expected, outcomes, readExplained(fs.readFileSync(explainedFile, 'utf8')))
  for (const [title, ids] of Object.entries(verdict.notes)) print(pick(outcomes, ids), title)
  for (const [title, ids] of Object.entries(verdict.faults)) print(pick(outcomes, ids), title)
  if (Object.values(verdict.faults).some(ids => ids.length > 0)) process.exitCode = 1
}

function pick (outcomes, ids) {
  return Object.fromEntries(ids.map(id => [id, outcomes[id] ?? { outcome: 'no longer in the suite', kind: '' }]))
}

for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => stopAll().then(() => process.exit(130)))
try {
  await main()
} catch (error) {
  console.error(`conformance: ${error instanceof Failed ? error.message : error.stack}`)
  process.exitCode = 2
} finally {
  await stopAll()
}
