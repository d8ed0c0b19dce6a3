import { test } from '@mono/test-support'
import { describe, expect } from 'vitest'
import { createFakeConsumer } from '../test/support/fake-consumer.js'
import { createFakeHost } from '../test/support/fake-host.js'
import { createFakeMessageQueue } from '../test/support/fake-message-queue.js'
import { recordLogs } from '../test/support/record-logs.js'
import { createResources } from './resources.js'
import { createShutdown } from './shutdown.js'
import { type StopWorkerOptions, stopWorker } from './stop-worker.js'
import type { RunningWorker, Worker } from './worker.js'
import { createWorkerState } from './worker-state.js'

function create({ inFlight = 0, graceMs = 1000 } = {}) {
  const logs = recordLogs()
  const host = createFakeHost()
  const shutdown = createShutdown({ host, logger: logs.logger, graceMs })
  const state = createWorkerState(logs.logger)
  state.change('waiting')
  state.change('running')
  const consumer = createFakeConsumer({ inFlight })
  const order: string[] = []
  const messageQueue = createFakeMessageQueue()
  messageQueue.drain = async () => void order.push('flush the publisher')
  const resources = createResources()
  resources.add('broker', () => order.push('release'))
  const running: RunningWorker = {
    consumer,
    stop: async () => void order.push(`stop the worker's own parts, consumer ${consumer.state}`),
  }
  const worker: Worker = { state, shutdown, resources, logger: logs.logger, started: { running, messageQueue } }
  shutdown.request({ reason: 'SIGTERM' })
  const stop = (options: Partial<StopWorkerOptions> = {}) =>
    stopWorker({ worker, broughtUp: Promise.resolve(), ...options })
  return { logs, worker, shutdown, state, consumer, order, resources, running, messageQueue, stop }
}

describe('stopping a worker', () => {
  test('drains, ends its own parts, flushes the publisher and releases, in this order', async () => {
    const { consumer, order, shutdown, state, stop } = create()
    await stop()
    expect(consumer.calls).toEqual(['drain'])
    expect(order).toEqual(["stop the worker's own parts, consumer stopped", 'flush the publisher', 'release'])
    expect(state.current).toBe('stopped')
    expect(shutdown.exitCode).toBe(0)
  })

  test('waits for what is in flight before anything else is ended', async () => {
    const { consumer, order, logs, stop } = create({ inFlight: 2 })
    const stopping = stop()
    await new Promise((resolve) => setImmediate(resolve))
    expect(order).toEqual([])
    consumer.finish()
    await stopping
    expect(order).toHaveLength(3)
    expect(consumer.calls).toEqual(['drain'])
    expect(logs.find('Everything in flight is finished')).toMatchObject({ inFlight: 2 })
  })

  test('gives back what is not finished by the end of the grace period, and that is a clean stop', async () => {
    const { consumer, order, logs, shutdown, state, stop } = create({ inFlight: 2, graceMs: 20 })
    await stop()
    expect(consumer.calls).toEqual(['drain', 'close'])
    expect(order).toHaveLength(3)
    expect(logs.find('The grace period is over; giving back what is not finished')).toMatchObject({ inFlight: 2 })
    expect(shutdown.exitCode).toBe(0)
    expect(state.current).toBe('stopped')
  })

  test('fails if giving back fails, and goes on with the other steps', async () => {
    const { consumer, order, logs, shutdown, state, stop } = create({ inFlight: 2, graceMs: 20 })
    consumer.close = () => Promise.reject(new Error('the channel is gone'))
    await stop()
    expect(shutdown.exitCode).toBe(1)
    expect(state.current).toBe('failed')
    expect(order).toHaveLength(3)
    expect(logs.find('Giving back what is in flight failed')).toMatchObject({ err: { message: 'the channel is gone' } })
  })

  test('gives back what is in flight if draining fails', async () => {
    const { consumer, shutdown, stop } = create({ inFlight: 2 })
    consumer.drain = () => Promise.reject(new Error('no'))
    await stop()
    expect(consumer.calls).toEqual(['close'])
    expect(shutdown.exitCode).toBe(1)
  })

  test('releases everything when a release fails, and names it', async () => {
    const { order, logs, resources, shutdown, stop } = create()
    resources.add('the pool', () => Promise.reject(new Error('stuck')))
    await stop()
    expect(order).toContain('release')
    expect(shutdown.exitCode).toBe(1)
    expect(logs.find('Releasing the resources failed')).toMatchObject({
      err: { errors: [{ message: 'Releasing the pool failed', cause: { message: 'stuck' } }] },
    })
  })

  test('does not wait for ever for a step that never ends', async () => {
    const { logs, order, running, shutdown, state, stop } = create()
    running.stop = () => new Promise(() => {})
    await stop({ stepLimitMs: 10 })
    expect(order).toEqual(['flush the publisher', 'release'])
    expect(shutdown.exitCode).toBe(1)
    expect(state.current).toBe('failed')
    expect(logs.find('Stopping the worker’s own parts failed')).toBeDefined()
  })

  test('whose start still waits for the broker ends that wait, and is a clean stop', async () => {
    const { messageQueue, order, shutdown, state, stop, worker } = create()
    delete worker.started.running
    let endStart = () => {}
    const broughtUp = new Promise<void>((resolve) => {
      endStart = resolve
    })
    messageQueue.drain = async () => {
      order.push('drain the client')
      endStart()
    }
    await stop({ broughtUp })
    expect(order).toEqual(['drain the client', 'drain the client', 'release'])
    expect(shutdown.exitCode).toBe(0)
    expect(state.current).toBe('stopped')
  })

  test('whose start never ends gives up after the grace period, and has failed', async () => {
    const { messageQueue, order, shutdown, state, stop, worker } = create({ graceMs: 10 })
    delete worker.started.running
    await stop({ broughtUp: new Promise(() => {}), stepLimitMs: 10 })
    expect(messageQueue.calls).toEqual(['close'])
    expect(order).toContain('release')
    expect(shutdown.exitCode).toBe(1)
    expect(state.current).toBe('failed')
  })

  test('ends the own parts of a worker whose start was over only during the stop', async () => {
    const { order, running, stop, worker } = create()
    delete worker.started.running
    await stop({
      broughtUp: Promise.resolve().then(() => {
        worker.started.running = running
      }),
    })
    expect(order).toContain("stop the worker's own parts, consumer consuming")
  })
})
