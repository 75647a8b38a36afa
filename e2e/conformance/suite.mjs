// The installed suite: its tests, its client and its own judgement of what passed.

import { createRequire } from 'node:module'
import path from 'node:path'
import { pathToFileURL } from 'node:url'

import { Failed } from './process.mjs'

const AT_ONCE = 100 // as the suite's own runner does it
const ATTEMPTS = 3 // a test that saw a repeated request judges nothing and is run again
const TIMEOUT = 30_000

// The suite's judgement comes as a symbol to be shown; these are its names for them.
const OUTCOMES = {
  '✅': 'pass',
  '⛔️': 'fail',
  '⚠️': 'optional_fail',
  Y: 'yes',
  N: 'no',
  '🔹': 'setup_fail',
  '⁉️': 'harness_fail',
  '⚪️': 'dependency_fail',
  '↻': 'retry',
  '-': 'untested'
}

/** Loads all tests that are not for browsers only, or the one with the id `only`. */
export async function loadSuite (folder, only) {
  const load = file => import(pathToFileURL(path.join(folder, file)).href)
  const [{ default: listed }, { default: surrogate }, config, client, display] = await Promise.all([
    load('tests/index.mjs'),
    load('tests/surrogate-control.mjs'),
    load('client/config.mjs'),
    load('client/test.mjs'),
    load('lib/display.mjs')
  ])
  const groups = [...listed, surrogate]
  const all = groups.flatMap(group => group.tests).filter(test => !test.browser_only)
  const tests = only ? all.filter(test => test.id === only) : all
  if (tests.length === 0) throw new Failed(`the suite has no test ${only} that runs without a browser`)
  const fetch = createRequire(path.join(folder, 'cli.mjs'))('node-fetch')

  /** Runs the tests through the cache at `base`, asking for `host` if given: id -> { kind, outcome, reason }. */
  async function run (base, host) {
    config.setFetch((url, init) => {
      const headers = new fetch.Headers(init?.headers)
      if (host) headers.set('Host', host)
      return fetch(url, { timeout: TIMEOUT, ...init, headers })
    })
    config.setUseBrowserCache(false)
    config.setBaseUrl(base)
    for (let todo = tests, attempt = 0; todo.length > 0 && attempt < ATTEMPTS; attempt++) {
      for (let i = 0; i < todo.length; i += AT_ONCE) await Promise.all(todo.slice(i, i + AT_ONCE).map(runOne))
      todo = todo.filter(test => client.testResults[test.id][1] === 'retry')
    }
    return Object.fromEntries(tests.map(test => [test.id, outcome(test)]).sort(([a], [b]) => a < b ? -1 : 1))
  }

  function runOne (test) {
    delete client.testResults[test.id]
    return client.makeCacheTest({ ...structuredClone(test), dump: Boolean(only) }) // a run writes into its test
  }

  function outcome (test) {
    const result = client.testResults[test.id]
    const symbol = display.determineTestResult(groups, test.id, client.testResults, !only)[2]
    return {
      kind: test.kind ?? 'required',
      outcome: OUTCOMES[symbol] ?? symbol,
      ...(result === true ? {} : { reason: result.join(': ') })
    }
  }

  return { tests, run }
}
