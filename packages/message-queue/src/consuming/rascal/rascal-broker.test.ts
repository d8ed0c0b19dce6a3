import { EventEmitter } from 'node:events'
import type { BrokerConfig } from '@mono/rascal-config'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { createConsumeMessage } from '../../../test/support/create-consume-message.js'
import { settle } from '../../../test/support/fake-broker.js'
import { RascalBroker } from './rascal-broker.js'

type Created = (error: Error | null, broker?: FakeRascal) => void
type Forwarded = (error: Error | null, session?: EventEmitter) => void

const createBroker = vi.hoisted(() => vi.fn<(config: object, done: Created) => void>())
vi.mock('rascal', () => ({ default: { createBroker } }))

const copy = createConsumeMessage()
let brokers: FakeRascal[]

/** A broker of rascal's that answers when the test says so. */
class FakeRascal extends EventEmitter {
  readonly keepActive = setInterval(() => {}, 2 ** 30)
  readonly forwarded: unknown[][] = []
  readonly sessions: EventEmitter[] = []
  /** Answers a shutdown; while there is none, no answer comes. */
  onShutdown: ((done: () => void) => void) | undefined = (done) => done()
  isShutDown = false
  /** `forward` fails with it instead of giving a session. */
  refusal: Error | undefined

  constructor() {
    super()
    brokers.push(this)
  }

  get isKeptActive(): boolean {
    return vi.mocked(clearInterval).mock.calls.every(([timer]) => timer !== this.keepActive)
  }

  forward(publication: string, message: object, overrides: object, done: Forwarded): void {
    this.forwarded.push([publication, message, overrides])
    const session = new EventEmitter()
    this.sessions.push(session)
    if (this.refusal) done(this.refusal)
    else done(null, session)
  }

  shutdown(done: () => void): void {
    this.isShutDown = true
    this.onShutdown?.(done)
  }
}

beforeEach(() => {
  brokers = []
  vi.spyOn(globalThis, 'clearInterval')
  createBroker.mockReset()
  createBroker.mockImplementation((_config, done) => done(null, new FakeRascal()))
})

afterEach(() => {
  vi.useRealTimers()
  vi.restoreAllMocks()
  for (const { keepActive } of brokers) clearInterval(keepActive)
})

/** An opening, and what belongs to it. */
function open({ timeoutMs = 10_000, signal = new AbortController().signal } = {}) {
  let socket = new AbortController().signal
  const config: BrokerConfig = { vhosts: {} }
  const createConfig = vi.fn((given: AbortSignal) => {
    socket = given
    return config
  })
  const opening = RascalBroker.open({ createConfig, timeoutMs, signal })
  opening.catch(() => {})
  return { opening, config, createConfig, isSocketDestroyed: () => socket.aborted }
}

async function openBroker() {
  const { opening, ...made } = open()
  const broker = await opening
  const [fake] = brokers
  if (!fake) throw new Error('Expected a broker of rascal, found none')
  return { broker, fake, ...made }
}

describe('opening a broker', () => {
  test('makes it of a fresh configuration, and keeps its socket', async () => {
    const { broker, fake, config, createConfig, isSocketDestroyed } = await openBroker()
    expect(createConfig).toHaveBeenCalledOnce()
    expect(createBroker.mock.calls[0]?.[0]).toBe(config)
    await settle()
    expect([broker.lost.aborted, isSocketDestroyed(), fake.isKeptActive]).toEqual([false, false, true])
  })

  test('makes none if it is aborted before', async () => {
    const reason = new Error('closed')
    const { opening, createConfig } = open({ signal: AbortSignal.abort(reason) })
    await expect(opening).rejects.toBe(reason)
    expect(createConfig).not.toHaveBeenCalled()
    expect(createBroker).not.toHaveBeenCalled()
  })

  test('rejects with the error of rascal', async () => {
    const refused = new Error('connect ECONNREFUSED')
    createBroker.mockImplementation((_config, done) => done(refused))
    const { opening, isSocketDestroyed } = open()
    await expect(opening).rejects.toBe(refused)
    await settle()
    expect(isSocketDestroyed()).toBe(true)
  })

  test('leaves a broker that rascal hands out with an error, and survives an error of that', async () => {
    const mismatch = new Error('PRECONDITION_FAILED')
    createBroker.mockImplementation((_config, done) => done(mismatch, new FakeRascal()))
    const { opening, isSocketDestroyed } = open()
    await expect(opening).rejects.toBe(mismatch)
    expect(brokers[0]?.isKeptActive).toBe(false)
    expect(() => brokers[0]?.emit('error', new Error('read ECONNRESET'))).not.toThrow()
    await settle()
    expect(isSocketDestroyed()).toBe(true)
  })

  test('survives an error in the turn in which rascal hands the broker out', async () => {
    const reset = new Error('read ECONNRESET')
    createBroker.mockImplementation((_config, done) => {
      const fake = new FakeRascal()
      done(null, fake)
      fake.emit('error', reset)
    })
    const { broker, fake } = await openBroker()
    expect(broker.lost.reason).toBe(reset)
    expect(fake.isKeptActive).toBe(false)
  })

  test.each([
    ['its time is up', false, 'Rascal has not declared the topology within 1000 ms.'],
    ['it is aborted', true, 'The consumer was closed.'],
  ])('is undone when %s, also if rascal succeeds after all', async (_what, isAborted, message) => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    let succeed: Created = () => {}
    createBroker.mockImplementation((_config, done) => {
      succeed = done
    })
    const closing = new AbortController()
    const { opening, isSocketDestroyed } = open({ timeoutMs: 1_000, signal: closing.signal })
    if (isAborted) closing.abort(new Error('The consumer was closed.'))
    else await vi.advanceTimersByTimeAsync(1_000)
    await expect(opening).rejects.toThrow(message)
    await settle()
    expect(isSocketDestroyed()).toBe(true)
    const late = new FakeRascal()
    succeed(null, late)
    expect(() => late.emit('error', new Error('The operation was aborted'))).not.toThrow()
    await settle()
    expect([late.isShutDown, late.isKeptActive]).toEqual([true, false])
  })

  test('that fails after its time was up is no unhandled rejection', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    let fail: Created = () => {}
    createBroker.mockImplementation((_config, done) => {
      fail = done
    })
    const { opening } = open({ timeoutMs: 1_000 })
    await vi.advanceTimersByTimeAsync(1_000)
    await expect(opening).rejects.toThrow('within 1000 ms')
    fail(new Error('The operation was aborted'))
    await settle()
  })

  test('leaves no timer once it is done', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    await openBroker()
    expect(vi.getTimerCount()).toBe(0)
  })
})

describe('a broker', () => {
  test.each([
    ['an error', 'error', 'read ECONNRESET'],
    ['the end of its connection', 'disconnect', 'The connection was closed.'],
  ])('is lost with %s: it keeps neither its socket nor the process', async (_what, event, message) => {
    const { broker, fake, isSocketDestroyed } = await openBroker()
    fake.emit(event, new Error('read ECONNRESET'))
    expect(broker.lost.reason).toEqual(new Error(message))
    expect(fake.isKeptActive).toBe(false)
    await settle()
    expect(isSocketDestroyed()).toBe(true)
  })

  test('is lost once, for the first reason, and survives whatever follows', async () => {
    const { broker, fake } = await openBroker()
    fake.emit('error', new Error('first'))
    fake.emit('disconnect')
    expect(() => fake.emit('error', new Error('second'))).not.toThrow()
    expect(broker.lost.reason).toEqual(new Error('first'))
  })

  test('says whether its connection is blocked', async () => {
    const { broker, fake } = await openBroker()
    expect(broker.blocked).toBe(false)
    fake.emit('blocked', 'low on memory')
    expect(broker.blocked).toBe(true)
    fake.emit('unblocked')
    expect(broker.blocked).toBe(false)
  })

  test('that is closed says goodbye and is lost', async () => {
    const { broker, fake, isSocketDestroyed } = await openBroker()
    let onDown = () => {}
    fake.onShutdown = (done) => {
      onDown = done
    }
    const closed = broker.close()
    await settle()
    expect([fake.isShutDown, broker.lost.aborted, isSocketDestroyed()]).toEqual([true, false, false])
    onDown()
    await closed
    expect(broker.lost.reason).toEqual(new Error('The broker was closed.'))
    expect(fake.isKeptActive).toBe(false)
    await settle()
    expect(isSocketDestroyed()).toBe(true)
  })

  test('is closed within a second if its goodbye is not answered', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const { broker, fake, isSocketDestroyed } = await openBroker()
    fake.onShutdown = undefined
    const closed = broker.close()
    await vi.advanceTimersByTimeAsync(1_000)
    await closed
    expect(fake.isKeptActive).toBe(false)
    await settle()
    expect(isSocketDestroyed()).toBe(true)
    expect(vi.getTimerCount()).toBe(0)
  })
})

describe('a copy', () => {
  /** A copy on its way. */
  async function forward() {
    const { broker, fake } = await openBroker()
    const outcome = broker.forward('push.notifications.dlq', copy)
    outcome.catch(() => {})
    const [session] = fake.sessions
    if (!session) throw new Error('Expected a session, found none')
    return { broker, fake, outcome, session }
  }

  test('is sent with its routing left to the publication, and is in its queue with success', async () => {
    const { fake, outcome, session } = await forward()
    expect(fake.forwarded).toEqual([['push.notifications.dlq', copy, { restoreRoutingHeaders: false }]])
    let isSent = false
    void outcome.then(() => {
      isSent = true
    })
    await settle()
    expect(isSent).toBe(false)
    session.emit('success')
    await outcome
  })

  test('that no queue took is an error, though its success follows', async () => {
    const { outcome, session } = await forward()
    session.emit('return')
    session.emit('success')
    await expect(outcome).rejects.toThrow('No queue took the copy for push.notifications.dlq.')
  })

  test('that the broker refuses is an error', async () => {
    const { broker, outcome, session } = await forward()
    const nacked = new Error('The broker nacked the message')
    session.emit('error', nacked)
    await expect(outcome).rejects.toBe(nacked)
    expect(broker.lost.aborted).toBe(false)
    expect(() => session.emit('error', new Error('again'))).not.toThrow()
  })

  test('that rascal does not send is an error', async () => {
    const { broker, fake } = await openBroker()
    fake.refusal = new Error('Unknown publication: x')
    await expect(broker.forward('x', copy)).rejects.toBe(fake.refusal)
  })

  test('whose connection is lost is an error, though rascal says nothing of it', async () => {
    const { broker, fake, outcome } = await forward()
    fake.emit('disconnect')
    await expect(outcome).rejects.toThrow('The connection was closed.')
    await expect(broker.forward('push.notifications.dlq', copy)).rejects.toThrow('The connection was closed.')
  })

  test('whose channel ends first is an error when the connection is lost, which rascal tells in the next turn', async () => {
    const { broker, fake, outcome, session } = await forward()
    session.emit('error', new Error('Channel closed'))
    setImmediate(() => fake.emit('disconnect'))
    expect(await outcome.catch(() => broker.lost.aborted)).toBe(true)
  })
})
