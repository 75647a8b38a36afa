import assert from 'node:assert/strict'
import { test } from 'node:test'

import { judge, readExplained, tally } from './compare.mjs'

const required = outcome => ({ kind: 'required', outcome })
const optimal = outcome => ({ kind: 'optimal', outcome })
const check = outcome => ({ kind: 'check', outcome })

function faults (expected, outcomes, explained = '') {
  const found = judge(expected, outcomes, readExplained(explained)).faults
  return Object.entries(found).filter(([, ids]) => ids.length > 0).map(([title]) => title)
}

test('what came out as expected is no fault', () => {
  const outcomes = { a: required('pass'), b: optimal('pass'), c: check('no') }
  assert.deepEqual(faults({ a: 'pass', b: 'pass', c: 'no' }, outcomes), [])
})

test('a pass lost is a regression, also of a check', () => {
  assert.deepEqual(faults({ a: 'yes' }, { a: check('no') }), ['regressions'])
  assert.deepEqual(faults({ a: 'pass' }, { a: optimal('optional_fail') }, '- `a`: not yet'), ['regressions'])
})

test('a failure needs its line, a check does not', () => {
  const outcomes = { a: optimal('optional_fail'), b: check('no') }
  const expected = { a: 'optional_fail', b: 'no' }
  assert.deepEqual(faults(expected, outcomes), ['failing without a line in explained.md'])
  assert.deepEqual(faults(expected, outcomes, 'Text.\n\n- `a`: the client cannot see it\n'), [])
})

test('a required failure is a fault even if expected and explained', () => {
  assert.deepEqual(faults({ a: 'fail' }, { a: required('fail') }, '- `a`: no'), ['required, and failing'])
})

test('a required test that could not be judged may be explained', () => {
  assert.deepEqual(faults({ a: 'setup_fail' }, { a: required('setup_fail') }, '- `a`: the client hides it'), [])
})

test('tests that come or go are noticed', () => {
  assert.deepEqual(faults({ gone: 'pass' }, {}), ['expected, but gone from the suite'])
  assert.deepEqual(faults({}, { a: optimal('optional_fail') }, '- `a`: no'), ['failing, and new to expected.json'])
  assert.deepEqual(faults({}, { a: required('pass') }), [])
})

test('new passes are noted', () => {
  const { notes } = judge({ a: 'fail' }, { a: required('pass') }, new Map([['a', 'old']]))
  assert.deepEqual(Object.values(notes), [['a'], [], ['a']])
})

test('counts go by kind', () => {
  const counts = tally({ a: required('pass'), b: required('pass'), c: check('no') })
  assert.deepEqual(counts, { required: { pass: 2 }, optimal: {}, check: { no: 1 } })
})
