import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { createFakeHost } from '../test/support/fake-host.js'
import { recordLogs } from '../test/support/record-logs.js'
import { createShutdown, endProcess } from './shutdown.js'

function install({ graceMs = 1000 } = {}) {
  const host = createFakeHost()
  const logs = recordLogs()
  return { host, logs, shutdown: createShutdown({ host, logger: logs.logger, graceMs }) }
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date', 'setTimeout', 'clearTimeout'] })
})
afterEach(() => {
  vi.useRealTimers()
})

describe('the first signal', () => {
  test.each(['SIGTERM', 'SIGINT'])('%s asks for a graceful stop with exit code 0', async (signal) => {
    const { host, shutdown } = install()
    expect(shutdown.signal.aborted).toBe(false)
    host.signals.emit(signal, signal)
    expect(await shutdown.requested).toEqual({ reason: signal })
    expect(shutdown.signal.aborted).toBe(true)
    expect(shutdown.exitCode).toBe(0)
    expect(host.exits).toEqual([])
  })

  test('starts the grace period', () => {
    const { host, shutdown } = install({ graceMs: 1000 })
    vi.advanceTimersByTime(5000)
    expect(shutdown.remainingMs()).toBe(1000)
    host.signals.emit('SIGTERM')
    vi.advanceTimersByTime(400)
    expect(shutdown.remainingMs()).toBe(600)
    vi.advanceTimersByTime(5000)
    expect(shutdown.remainingMs()).toBe(0)
  })
})

describe('the second signal', () => {
  test('ends the process at once with 1', () => {
    const { host } = install()
    host.signals.emit('SIGTERM')
    expect(host.exits).toEqual([])
    host.signals.emit('SIGTERM')
    expect(host.exits).toEqual([1])
  })

  test('is not what a terminal and a start script make of one Ctrl-C', () => {
    const { host } = install()
    host.signals.emit('SIGINT')
    vi.advanceTimersByTime(100)
    host.signals.emit('SIGINT')
    host.signals.emit('SIGTERM')
    expect(host.exits).toEqual([])
    vi.advanceTimersByTime(500)
    host.signals.emit('SIGINT')
    expect(host.exits).toEqual([1])
  })
})

describe('an uncaught error', () => {
  test.each([
    ['uncaughtException', 'Uncaught exception'],
    ['unhandledRejection', 'Unhandled rejection'],
  ])('%s is logged as fatal and asks for a graceful stop with exit code 1', async (event, reason) => {
    const { host, logs, shutdown } = install()
    host.signals.emit(event, new Error('boom'))
    expect((await shutdown.requested).reason).toBe(reason)
    expect(shutdown.exitCode).toBe(1)
    expect(host.exits).toEqual([])
    expect(logs.find(reason)).toMatchObject({ level: 'fatal', err: { message: 'boom' } })
  })

  test('during the stop changes the exit code but not the deadline', () => {
    const { host, shutdown } = install({ graceMs: 1000 })
    host.signals.emit('SIGTERM')
    vi.advanceTimersByTime(700)
    host.signals.emit('unhandledRejection', undefined)
    expect(shutdown.exitCode).toBe(1)
    expect(shutdown.remainingMs()).toBe(300)
    expect(host.exits).toEqual([])
  })

  test('leaves the first signal after it a graceful one', () => {
    const { host } = install()
    host.signals.emit('uncaughtException', new Error('boom'))
    host.signals.emit('SIGTERM')
    expect(host.exits).toEqual([])
  })
})

describe('uninstall', () => {
  test('takes off every listener', () => {
    const { host, shutdown } = install()
    expect(host.listenerCount).toBe(4)
    shutdown.uninstall()
    expect(host.listenerCount).toBe(0)
  })
})

describe('endProcess', () => {
  test('sets the exit code and lets the process end by itself', () => {
    const host = createFakeHost()
    endProcess({ host, logger: recordLogs().logger, code: 0 })
    vi.advanceTimersByTime(1900)
    expect(host.exitCode).toBe(0)
    expect(host.exits).toEqual([])
  })

  test('ends a process that something keeps alive for two seconds, and says what', () => {
    const host = createFakeHost()
    const logs = recordLogs()
    endProcess({ host, logger: logs.logger, code: 0 })
    vi.advanceTimersByTime(2000)
    expect(host.exits).toEqual([0])
    expect(logs.records).toMatchObject([{ level: 'warn', activeResources: ['Timeout'] }])
  })
})
