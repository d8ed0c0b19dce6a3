import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { test, waitFor } from '@mono/test-support'
import { describe, expect } from 'vitest'
import type { LogRecord } from './support/record-logs.js'

const script = fileURLToPath(new URL('./support/worker-process.mjs', import.meta.url))

/** Nothing listens on port 1. */
const good = { RABBITMQ_URL: 'amqp://u:p@127.0.0.1:1', DATABASE_URL: 'postgres://u:p@127.0.0.1:1/x', HTTP_PORT: '0' }

/** The built package in a process of its own, with the real signals and the real standard output. */
function start(env: Record<string, string>, cleanUp: (release: () => void) => void) {
  const child: ChildProcess = spawn(process.execPath, [script], { env, stdio: ['ignore', 'pipe', 'pipe'] })
  cleanUp(() => child.kill('SIGKILL'))
  let stdout = ''
  let stderr = ''
  child.stdout?.on('data', (chunk) => {
    stdout += chunk
  })
  child.stderr?.on('data', (chunk) => {
    stderr += chunk
  })
  const closed = once(child, 'close').then(([code, signal]) => ({ code, signal }))
  const logs = (): LogRecord[] =>
    stdout
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line))
  const find = (msg: string) => logs().find((record) => record.msg === msg)
  return {
    kill: (signal: NodeJS.Signals) => child.kill(signal),
    closed,
    logs,
    find,
    waiting: () => waitFor(() => find('Database cannot be reached'), { what: 'the worker to wait' }),
    stdout: () => stdout,
    stderr: () => stderr,
  }
}

describe('a worker process', () => {
  test.for(['SIGTERM', 'SIGINT'] as const)('ends by itself with 0 after %s', async (signal, { cleanUp }) => {
    const worker = start(good, cleanUp)
    await worker.waiting()
    worker.kill(signal)
    expect(await worker.closed).toEqual({ code: 0, signal: null })
    expect(worker.logs().at(-1)).toMatchObject({ msg: 'Worker state changed', state: 'stopped' })
    expect(worker.stderr()).toBe('')
  })

  test('prints the faults of its environment to standard error and ends with 1', async ({ cleanUp }) => {
    const worker = start({ ...good, HTTP_PORT: 'x', DATABASE_URL: 'hunter2' }, cleanUp)
    expect(await worker.closed).toEqual({ code: 1, signal: null })
    expect(worker.stderr()).toMatch(/^The environment has 2 faults:\n {2}\w+: expected .*\n {2}\w+: expected .*\n$/)
    expect(worker.stderr()).not.toContain('hunter2')
    expect(worker.stdout()).toBe('')
  })

  test.for([
    ['exception', 'Uncaught exception'],
    ['rejection', 'Unhandled rejection'],
  ] as const)('with an uncaught %s logs it as fatal, stops, and ends with 1', async ([fault, reason], { cleanUp }) => {
    const worker = start({ ...good, FAULT: fault }, cleanUp)
    expect(await worker.closed).toEqual({ code: 1, signal: null })
    expect(worker.find(reason)).toMatchObject({ level: 'fatal' })
    expect(worker.logs().at(-1)).toMatchObject({ state: 'failed' })
    expect(worker.stdout()).not.toContain('SECRET-4711')
  })

  test('that something keeps alive is ended after two seconds, and says what', async ({ cleanUp }) => {
    const worker = start({ ...good, LEAK: 'timer' }, cleanUp)
    await worker.waiting()
    worker.kill('SIGTERM')
    expect(await worker.closed).toEqual({ code: 0, signal: null })
    expect(worker.logs().at(-1)).toMatchObject({
      level: 'warn',
      msg: 'Something keeps the stopped process alive; ending it',
      activeResources: expect.arrayContaining(['Timeout']),
    })
  })
})
