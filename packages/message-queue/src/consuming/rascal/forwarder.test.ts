import { createRecordingLogger } from '@mono/test-support'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { createConsumeMessage } from '../../../test/support/create-consume-message.js'
import { createGate } from '../../../test/support/create-gate.js'
import { settle } from '../../../test/support/fake-broker.js'
import { Forwarder } from './forwarder.js'
import type { OpenRascalBrokerOptions } from './rascal-broker.js'

const openBroker = vi.hoisted(() => vi.fn<(options: OpenRascalBrokerOptions) => Promise<FakeRascalBroker>>())
vi.mock('./rascal-broker.js', () => ({ RascalBroker: { open: openBroker } }))

const publication = 'push.notifications.dlq'
const copy = createConsumeMessage()
const notLost = new AbortController().signal
let brokers: FakeRascalBroker[]

/** A connection for copies; each copy ends when the test says so. */
class FakeRascalBroker {
  readonly #lost = new AbortController()
  readonly lost = this.#lost.signal
  readonly copies: { sent: unknown[]; confirm(): void; fail(error: Error): void }[] = []
  isClosed = false
  blocked = false

  constructor() {
    brokers.push(this)
  }

  forward(...sent: unknown[]): Promise<void> {
    return new Promise((confirm, fail) => {
      this.copies.push({ sent, confirm, fail })
    })
  }

  /** As a broker does it: it is lost first, then its copies fail. */
  lose(error = new Error('read ECONNRESET')): void {
    this.#lost.abort(error)
    for (const { fail } of this.copies) fail(error)
  }

  async close(): Promise<void> {
    this.isClosed = true
    this.lose(new Error('The broker was closed.'))
  }
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  brokers = []
  openBroker.mockReset()
  openBroker.mockImplementation(async () => new FakeRascalBroker())
})

afterEach(() => void vi.useRealTimers())

/** Connections are made when the returned function is called. */
function holdOpening(): () => void {
  const { opened, open } = createGate()
  openBroker.mockImplementation(async () => {
    await opened
    return new FakeRascalBroker()
  })
  return open
}

function createForwarder({ prefetch = 10 } = {}) {
  const urls = ['amqp://localhost:5672/mono']
  const { lines, ...logger } = createRecordingLogger()
  const forwarder = new Forwarder({ urls, connectionName: 'test', queue: 'push.notifications', prefetch, logger })
  return {
    forwarder,
    logged: () => lines.filter(({ level }) => level !== 'debug').map(({ level }) => level),
    /** Forwards and gives at once; `outcome` is 'pending', 'sent' or the error. */
    forward(lost = notLost) {
      const sending = { outcome: 'pending' as unknown }
      forwarder.forward(publication, copy, lost).then(
        () => {
          sending.outcome = 'sent'
        },
        (error: unknown) => {
          sending.outcome = error
        },
      )
      return sending
    },
  }
}

describe('a forwarder', () => {
  test('connects when the first copy is due, once for all', async () => {
    const open = holdOpening()
    const { forward } = createForwarder()
    expect(openBroker).not.toHaveBeenCalled()
    const sendings = [forward(), forward()]
    await settle()
    open()
    await settle()
    sendings.push(forward())
    await settle()
    expect(openBroker).toHaveBeenCalledOnce()
    for (const { confirm } of brokers[0]?.copies ?? []) confirm()
    await settle()
    expect(sendings.map(({ outcome }) => outcome)).toEqual(['sent', 'sent', 'sent'])
  })

  test.each([
    [7, 7],
    [100, 20],
  ])('with a prefetch of %d has %d channels at most', async (prefetch, max) => {
    createForwarder({ prefetch }).forward()
    const [options] = openBroker.mock.calls[0] ?? []
    const { signal } = new AbortController()
    const vhost = options?.createConfig(signal).vhosts.worker
    expect(vhost?.publicationChannelPools).toMatchObject({ confirmPool: { max } })
    expect(JSON.stringify(vhost?.connections)).toContain('test')
    expect(vhost?.connections?.[0]?.socketOptions?.signal).toBe(signal)
  })

  test('sends a copy as it is and resolves when it is confirmed, not before', async () => {
    const { forward } = createForwarder()
    const sending = forward()
    await settle()
    expect(brokers[0]?.copies.map(({ sent }) => sent)).toEqual([[publication, copy]])
    expect(sending.outcome).toBe('pending')
    brokers[0]?.copies[0]?.confirm()
    await settle()
    expect(sending.outcome).toBe('sent')
    expect(vi.getTimerCount()).toBe(0)
  })

  test('does not send a copy again that the broker refuses', async () => {
    const { forward } = createForwarder()
    const sending = forward()
    await settle()
    const refused = new Error('No queue took the copy')
    brokers[0]?.copies[0]?.fail(refused)
    await vi.advanceTimersByTimeAsync(10_000)
    expect(sending.outcome).toBe(refused)
    expect([brokers.length, brokers[0]?.copies.length]).toEqual([1, 1])
  })

  test('goes on with the connection after a refusal', async () => {
    const { forward } = createForwarder()
    forward()
    await settle()
    brokers[0]?.copies[0]?.fail(new Error('No queue took the copy'))
    await settle()
    forward()
    await settle()
    expect([brokers.length, brokers[0]?.copies.length]).toEqual([1, 2])
  })
})

describe('when the connection of copies is lost', () => {
  test('all of them are sent again over one other, after a pause', async () => {
    const { forward } = createForwarder()
    const sendings = [forward(), forward()]
    await settle()
    brokers[0]?.lose()
    await settle()
    expect(openBroker).toHaveBeenCalledOnce()
    await vi.advanceTimersByTimeAsync(100)
    expect(openBroker).toHaveBeenCalledTimes(2)
    expect(brokers[1]?.copies.map(({ sent }) => sent)).toEqual([
      [publication, copy],
      [publication, copy],
    ])
    for (const { confirm } of brokers[1]?.copies ?? []) confirm()
    await settle()
    expect(sendings.map(({ outcome }) => outcome)).toEqual(['sent', 'sent'])
  })

  test('the next copy is sent over another at once', async () => {
    const { forward } = createForwarder()
    forward()
    await settle()
    brokers[0]?.copies[0]?.confirm()
    brokers[0]?.lose()
    forward()
    await settle()
    expect([brokers.length, brokers[1]?.copies.length]).toEqual([2, 1])
  })

  test('in the turn in which it is made, another is made', async () => {
    openBroker.mockImplementationOnce(async () => {
      const broker = new FakeRascalBroker()
      broker.lose()
      // As a broker that is lost: it sends nothing.
      broker.forward = () => Promise.reject(broker.lost.reason)
      return broker
    })
    const { forward } = createForwarder()
    const sending = forward()
    await vi.advanceTimersByTimeAsync(100)
    brokers[1]?.copies[0]?.confirm()
    await settle()
    expect(sending.outcome).toBe('sent')
  })

  test('attempts are made with growing pauses until there is another', async () => {
    openBroker.mockImplementation(() => Promise.reject(new Error('connect ECONNREFUSED')))
    const { forward } = createForwarder()
    const sending = forward()
    await settle()
    expect(openBroker).toHaveBeenCalledTimes(1)
    await vi.advanceTimersByTimeAsync(30_000)
    const attempts = openBroker.mock.calls.length
    expect(attempts).toBeGreaterThan(10)
    expect(attempts).toBeLessThan(30)
    expect(sending.outcome).toBe('pending')
    openBroker.mockImplementation(async () => new FakeRascalBroker())
    await vi.advanceTimersByTimeAsync(3_000)
    brokers[0]?.copies[0]?.confirm()
    await settle()
    expect(sending.outcome).toBe('sent')
  })
})

describe('a forwarder is connected', () => {
  test('before a copy is due, and while the first connection is made', async () => {
    const open = holdOpening()
    const { forwarder, forward } = createForwarder()
    expect(forwarder.connected).toBe(true)
    forward()
    await settle()
    expect(forwarder.connected).toBe(true)
    open()
    await settle()
    expect(forwarder.connected).toBe(true)
  })

  test('not while the broker has blocked the connection', async () => {
    const { forwarder, forward } = createForwarder()
    forward()
    await settle()
    const [broker] = brokers as [FakeRascalBroker]
    broker.blocked = true
    expect(forwarder.connected).toBe(false)
    broker.blocked = false
    expect(forwarder.connected).toBe(true)
  })

  test('again when its connection was lost while no copy was under way', async () => {
    const { forwarder, forward } = createForwarder()
    forward()
    await settle()
    brokers[0]?.copies[0]?.confirm()
    await settle()
    const [broker] = brokers as [FakeRascalBroker]
    broker.blocked = true
    broker.lose()
    await settle()
    expect(forwarder.connected).toBe(true)
  })

  test('not while a copy waits for a connection that was lost, or could not be made', async () => {
    const { forwarder, forward } = createForwarder()
    const sending = forward()
    await settle()
    openBroker.mockImplementation(() => Promise.reject(new Error('connect ECONNREFUSED')))
    brokers[0]?.lose()
    await settle()
    expect(forwarder.connected).toBe(false)
    await vi.advanceTimersByTimeAsync(5_000)
    expect(forwarder.connected).toBe(false)
    openBroker.mockImplementation(async () => new FakeRascalBroker())
    await vi.advanceTimersByTimeAsync(3_000)
    expect([forwarder.connected, sending.outcome]).toEqual([true, 'pending'])
  })

  test('again when the copy that waited is due no more', async () => {
    openBroker.mockImplementation(() => Promise.reject(new Error('connect ECONNREFUSED')))
    const losing = new AbortController()
    const { forwarder, forward } = createForwarder()
    forward(losing.signal)
    await settle()
    expect(forwarder.connected).toBe(false)
    losing.abort(new Error('The channel that the delivery came by is closed.'))
    await settle()
    expect(forwarder.connected).toBe(true)
  })
})

describe('a copy whose original is lost', () => {
  const reason = new Error('The channel that the delivery came by is closed.')
  let losing: AbortController

  beforeEach(() => {
    losing = new AbortController()
  })

  test('is not sent', async () => {
    const { forward } = createForwarder()
    losing.abort(reason)
    const sending = forward(losing.signal)
    await settle()
    expect(sending.outcome).toBe(reason)
    expect(openBroker).not.toHaveBeenCalled()
  })

  test('is not waited for', async () => {
    const { forward } = createForwarder()
    const [sending, other] = [forward(losing.signal), forward()]
    await settle()
    losing.abort(reason)
    await settle()
    expect([sending.outcome, other.outcome]).toEqual([reason, 'pending'])
    // Its own end is no unhandled rejection.
    brokers[0]?.copies[0]?.fail(new Error('No queue took the copy'))
    await settle()
  })

  test('is not sent again, though the connection is lost with it', async () => {
    const { forward } = createForwarder()
    const sending = forward(losing.signal)
    await settle()
    losing.abort(reason)
    brokers[0]?.lose()
    await vi.advanceTimersByTimeAsync(10_000)
    expect(sending.outcome).toBe(reason)
    expect(openBroker).toHaveBeenCalledOnce()
  })

  test('is not waited for during a pause either', async () => {
    openBroker.mockImplementation(() => Promise.reject(new Error('connect ECONNREFUSED')))
    const { forward } = createForwarder()
    const sending = forward(losing.signal)
    await vi.advanceTimersByTimeAsync(5_000)
    losing.abort(reason)
    await settle()
    expect(sending.outcome).toBe(reason)
    expect(vi.getTimerCount()).toBe(0)
  })

  test('is not sent if it was lost while the connection was made', async () => {
    const open = holdOpening()
    const { forward } = createForwarder()
    const sending = forward(losing.signal)
    await settle()
    losing.abort(reason)
    open()
    await settle()
    expect(sending.outcome).toBe(reason)
    expect(brokers[0]?.copies).toHaveLength(0)
  })
})

describe('a forwarder that is closed', () => {
  test('closes its connection', async () => {
    const { forwarder, forward } = createForwarder()
    forward()
    await settle()
    brokers[0]?.copies[0]?.confirm()
    await forwarder.close()
    expect(brokers[0]?.isClosed).toBe(true)
  })

  test('has nothing to close if no copy was due', async () => {
    await createForwarder().forwarder.close()
    expect(openBroker).not.toHaveBeenCalled()
  })

  test('ends the making of a connection', async () => {
    openBroker.mockImplementation(
      ({ signal }) => new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
    )
    const losing = new AbortController()
    const { forwarder, forward } = createForwarder()
    const sending = forward(losing.signal)
    await settle()
    losing.abort(new Error('The channel that the delivery came by is closed.'))
    await forwarder.close()
    await settle()
    expect(sending.outcome).toBe(losing.signal.reason)
  })
})

test('says once that nothing can be forwarded, and once that it can again', async () => {
  vi.useFakeTimers()
  const { forward, forwarder, logged } = createForwarder()
  openBroker.mockRejectedValueOnce(new Error('connect ECONNREFUSED'))
  openBroker.mockRejectedValueOnce(new Error('connect ECONNREFUSED'))
  forward()
  await vi.advanceTimersByTimeAsync(10_000)
  expect(openBroker).toHaveBeenCalledTimes(3)
  expect(logged()).toEqual(['warn', 'info'])
  vi.useRealTimers()
  await forwarder.close()
})
