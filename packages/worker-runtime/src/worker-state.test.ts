import { describe, expect, test } from 'vitest'
import { recordLogs } from '../test/support/record-logs.js'
import { createWorkerState, type WorkerState } from './worker-state.js'

function stateAfter(...changes: WorkerState[]) {
  const { logger, records } = recordLogs()
  const state = createWorkerState(logger)
  for (const next of changes) state.change(next)
  return { state, records }
}

describe('the state of a worker', () => {
  test('goes from starting to stopped, each change one log line', () => {
    const { state, records } = stateAfter('waiting', 'running', 'draining', 'stopped')
    expect(state.current).toBe('stopped')
    expect(records.map(({ previousState, state: next }) => `${previousState} → ${next}`)).toEqual([
      'starting → waiting',
      'waiting → running',
      'running → draining',
      'draining → stopped',
    ])
  })

  test.each<[WorkerState[]]>([[[]], [['waiting']], [['waiting', 'running']]])('may be draining after %j', (before) => {
    expect(stateAfter(...before, 'draining').state.current).toBe('draining')
  })

  test.each<[WorkerState[], WorkerState]>([
    [[], 'running'],
    [['waiting'], 'stopped'],
    [['waiting', 'running'], 'waiting'],
    [['draining'], 'running'],
    [['draining', 'stopped'], 'failed'],
    [['failed'], 'draining'],
  ])('after %j refuses to become %s, and stays as it is', (before, next) => {
    const { state, records } = stateAfter(...before)
    const current = state.current
    expect(() => state.change(next)).toThrow(`The worker cannot become ${next}: it is ${current}`)
    expect(state.current).toBe(current)
    expect(records).toHaveLength(before.length)
  })
})
