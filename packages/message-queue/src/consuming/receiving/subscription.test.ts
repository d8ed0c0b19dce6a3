import { createRecordingLogger } from '@mono/test-support'
import { IllegalOperationError } from 'amqplib'
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { createConsumeMessage } from '../../../test/support/create-consume-message.js'
import { createGate } from '../../../test/support/create-gate.js'
import { createFakeBroker, type FakeBroker, type FakeConnection, settle } from '../../../test/support/fake-broker.js'
import { FakeConsumerChannel } from '../../../test/support/fake-consumer-channel.js'
import { MigrationPendingError } from '../../errors/migration-pending-error.js'
import { TopologyMismatchError } from '../../errors/topology-mismatch-error.js'
import { type DeclaringBroker, Subscription, type SubscriptionOptions } from './subscription.js'

let broker: FakeBroker
const subscriptions = new Set<Subscription>()

vi.mock('../../connection/open-connection.js', async (importOriginal) => ({
  ...(await importOriginal<object>()),
  connectToBroker: (...attempt: Parameters<FakeBroker['connect']>) => broker.connect(...attempt),
}))

const away = new Error('connect ECONNREFUSED')
const mismatch = new TopologyMismatchError({ queue: 'q', argument: 'x-max-length', found: '1', wanted: '2' })
const pending = new MigrationPendingError({ queue: 'q', standIn: 'q.migrating', command: 'npm run migrate' })
const accessRefused = Object.assign(new Error('ACCESS_REFUSED - to queue'), { code: 403 })
const notFound = Object.assign(new Error('NOT_FOUND - no queue'), { code: 404 })
const protocolError = Object.assign(new Error('PRECONDITION_FAILED - unknown delivery tag'), { code: 406 })

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
  broker = createFakeBroker()
  broker.openConsumerChannel = async () => openChannel()
})

afterEach(async () => {
  const closed = Promise.all([...subscriptions].map((subscription) => subscription.close()))
  await passMs(10_000)
  await closed
  subscriptions.clear()
  vi.useRealTimers()
})

function openChannel(): FakeConsumerChannel {
  const channel = new FakeConsumerChannel()
  channel.answersAtOnce = true
  return channel
}

/** Channels are opened from now on when the returned function is called. */
function holdOpening(): () => void {
  const { opened, open } = createGate()
  broker.openConsumerChannel = async () => {
    await opened
    return openChannel()
  }
  return open
}

/** Lets that time pass, and everything happen that needs none. */
async function passMs(ms: number): Promise<void> {
  await settle()
  await vi.advanceTimersByTimeAsync(ms)
  await settle()
}

/** The latest. */
function connection(): FakeConnection {
  const latest = broker.connections.at(-1)
  if (!latest) throw new Error('Expected a connection, found none')
  return latest
}

/** The latest of the latest connection. */
function channel(): FakeConsumerChannel {
  const latest = connection().consumerChannels.at(-1)
  if (!latest) throw new Error('Expected a channel, found none')
  return latest
}

function createSubscription({
  leaving = 'cancel',
  prefetch = 10,
  urls = ['amqp://one/mono'],
}: Partial<Pick<SubscriptionOptions, 'leaving' | 'prefetch' | 'urls'>> = {}) {
  const { lines, ...logger } = createRecordingLogger()
  const declare = vi.fn(async (_broker: DeclaringBroker) => {})
  const told: string[] = []
  const onDelivery = vi.fn()
  const subscription = new Subscription({
    queue: 'q',
    urls,
    connectionName: 'test',
    consumerName: 'chat-worker@host',
    logger,
    prefetch,
    leaving,
    heartbeatSeconds: 10,
    declare,
    listener: {
      onDelivery,
      onRegistered: () => told.push('registered'),
      onCancelled: () => told.push('cancelled'),
      onLost: ({ isUnreadable }) => told.push(isUnreadable ? 'lost over an unreadable frame' : 'lost'),
    },
  })
  subscriptions.add(subscription)
  const logged = () =>
    lines.filter(({ level }) => level !== 'debug').map(({ level, message }) => `${level}: ${message}`)
  return { subscription, declare, told, onDelivery, logged }
}

/** One that is registered. */
async function runSubscription(options?: Parameters<typeof createSubscription>[0]) {
  const created = createSubscription(options)
  const running = created.subscription.run()
  await passMs(0)
  return { ...created, running }
}

/** Registered for so long that a loss is no reason for a probation. */
async function runSteadily() {
  const created = await runSubscription()
  await passMs(3_001)
  return created
}

const begun = 'warn: The consumer cannot consume; it will keep retrying'
const over = 'info: The consumer can consume again'

describe('a subscription', () => {
  test('does nothing before it is run', async () => {
    const { declare } = createSubscription()
    await passMs(10_000)
    expect([broker.tried, declare.mock.calls]).toEqual([[], []])
  })

  test('connects, declares and registers', async () => {
    const { subscription, declare, told, onDelivery, logged } = createSubscription()
    declare.mockImplementation(async () => {
      expect(connection().consumerChannels).toEqual([])
    })
    void subscription.run()
    await passMs(0)
    expect(declare).toHaveBeenCalledOnce()
    expect(channel().written).toEqual(['qos 10', 'consume q'])
    expect(channel().tags[0]).toMatch(/^chat-worker@host\./)
    expect(told).toEqual(['registered'])
    expect([subscription.isSettled, subscription.attempts]).toEqual([true, 2])
    channel().deliver(createConsumeMessage())
    expect(onDelivery).toHaveBeenCalledOnce()
    expect(logged()).toEqual([])
  })

  test('begins with any of its nodes, and goes on to the next', async () => {
    const urls = ['amqp://one/mono', 'amqp://two/mono', 'amqp://three/mono']
    vi.spyOn(Math, 'random').mockReturnValue(0.5)
    onTestFinished(() => void vi.restoreAllMocks())
    broker.answer = (url) => (url.includes('two') ? away : 'open')
    await runSubscription({ urls })
    expect(broker.tried.map((url) => new URL(url).hostname)).toEqual(['two', 'three'])
  })

  test.each([
    ['exists with other arguments', mismatch],
    ['may not be consumed yet', pending],
  ])('fails if the queue %s at the start', async (_what, error) => {
    const { subscription, declare } = createSubscription()
    declare.mockRejectedValue(error)
    const running = subscription.run()
    running.catch(() => {})
    await passMs(0)
    await expect(running).rejects.toBe(error)
    expect(connection().consumerChannels).toEqual([])
  })

  test.each([
    ['is there', undefined, true],
    ['is missing', notFound, false],
    ['may not be seen', accessRefused, false],
  ])('tells whoever declares of another queue that it %s', async (_what, error, isThere) => {
    const { subscription, declare } = createSubscription()
    const answers: boolean[] = []
    declare.mockImplementation(async ({ hasQueue }) => {
      const asked = hasQueue('other')
      await settle()
      if (error) channel().fail(error)
      else await channel().answer()
      answers.push(await asked)
    })
    broker.openConsumerChannel = async () => new FakeConsumerChannel()
    void subscription.run()
    await passMs(0)
    expect(answers).toEqual([isThere])
  })

  test('tries again to declare, with pauses, and tells of the outage once', async () => {
    const { subscription, declare, told, logged } = createSubscription()
    declare.mockRejectedValueOnce(away).mockRejectedValueOnce(away)
    void subscription.run()
    await passMs(0)
    expect(declare).toHaveBeenCalledTimes(1)
    await passMs(1_000)
    expect(declare).toHaveBeenCalledTimes(3)
    expect(told).toEqual(['registered'])
    expect(logged()).toEqual([begun, over])
  })

  test('connects again until the broker is there, and tells of the outage once', async () => {
    const { subscription, told, logged } = createSubscription()
    broker.answer = () => away
    void subscription.run()
    await passMs(10_000)
    expect(logged()).toEqual([begun])
    broker.answer = () => 'open'
    await passMs(3_000)
    expect(told).toEqual(['registered'])
    expect(logged()).toEqual([begun, over])
  })

  test('takes nothing where nothing is wanted, and is settled all the same', async () => {
    const { subscription, told } = await runSubscription({ prefetch: 0 })
    expect([channel().written, told, subscription.isSettled]).toEqual([[], [], true])
    subscription.setPrefetch(5)
    await settle()
    expect(channel().written).toEqual(['qos 5', 'consume q'])
  })

  test('that takes nothing has no outage when its channel is open', async () => {
    const { subscription, declare, logged } = createSubscription({ prefetch: 0 })
    declare.mockRejectedValueOnce(away)
    void subscription.run()
    await passMs(1_000)
    expect(logged()).toEqual([begun, over])
  })

  test('registers with the prefetch that is wanted when its channel is open', async () => {
    const { subscription } = createSubscription()
    const open = holdOpening()
    void subscription.run()
    await passMs(0)
    expect(subscription.isSettled).toBe(false)
    subscription.setPrefetch(3)
    open()
    await passMs(0)
    expect(channel().written.slice(-2)).toEqual(['qos 3', 'consume q'])
    expect(subscription.isSettled).toBe(true)
  })

  test('is renewed on its channel', async () => {
    const { subscription } = await runSubscription()
    subscription.renew()
    await settle()
    expect(channel().written.slice(2)).toEqual(['cancel 1', 'qos 10', 'consume q'])
  })

  test('runs once', () => {
    const { subscription } = createSubscription()
    expect(subscription.run()).toBe(subscription.run())
  })
})

describe('a subscription that leaves by closing its channel', () => {
  const closing = { leaving: 'close' } as const

  test('never cancels: with another prefetch it registers on another channel', async () => {
    const { subscription, told } = await runSubscription(closing)
    const first = channel()
    subscription.setPrefetch(1)
    await passMs(1_000)
    expect(first.written).toEqual(['qos 10', 'consume q', 'close'])
    expect(channel().written).toEqual(['qos 1', 'consume q'])
    expect(told).toEqual(['registered', 'lost', 'registered'])
    expect(subscription.isRegistered).toBe(true)
  })

  test('has no channel while nothing is wanted, is settled all the same, and comes back', async () => {
    const { subscription, told } = await runSubscription(closing)
    subscription.setPrefetch(0)
    await passMs(5_000)
    expect([connection().consumerChannels.length, subscription.isSettled, subscription.isRegistered]).toEqual([
      1,
      true,
      false,
    ])
    subscription.setPrefetch(10)
    await passMs(0)
    expect(channel().written).toEqual(['qos 10', 'consume q'])
    expect(told).toEqual(['registered', 'lost', 'registered'])
  })

  test('stays registered with the same prefetch', async () => {
    const { subscription } = await runSubscription(closing)
    subscription.setPrefetch(10)
    await passMs(1_000)
    expect(connection().consumerChannels).toHaveLength(1)
    expect(channel().written).toEqual(['qos 10', 'consume q'])
  })

  test('is renewed on another channel', async () => {
    const { subscription } = await runSubscription(closing)
    subscription.renew()
    await passMs(1_000)
    expect(connection().consumerChannels.map(({ written }) => written)).toEqual([
      ['qos 10', 'consume q', 'close'],
      ['qos 10', 'consume q'],
    ])
  })

  test('that the broker has cancelled declares again, and registers on another channel', async () => {
    const { declare, told } = await runSubscription(closing)
    channel().deliver(null)
    await passMs(1_000)
    expect(declare).toHaveBeenCalledTimes(2)
    expect(connection().consumerChannels.map(({ written }) => written)).toEqual([
      ['qos 10', 'consume q', 'close'],
      ['qos 10', 'consume q'],
    ])
    expect(told).toEqual(['registered', 'cancelled', 'lost', 'registered'])
  })

  test('keeps its registration when it is told to end, until it is closed', async () => {
    const { subscription } = await runSubscription(closing)
    await subscription.end()
    expect(channel().written).toEqual(['qos 10', 'consume q'])
    await subscription.close()
    expect(channel().written).toEqual(['qos 10', 'consume q', 'close'])
  })

  test('ends while nothing is wanted', async () => {
    const { subscription, running } = await runSubscription({ ...closing, prefetch: 0 })
    await subscription.end()
    await subscription.close()
    await running
    expect(connection().consumerChannels).toEqual([])
  })

  test('says whether the connection ended over a frame that nobody can read', async () => {
    const { told } = await runSubscription(closing)
    connection().lose(new RangeError('Maximum call stack size exceeded'))
    await passMs(1_000)
    connection().lose()
    expect(told).toEqual(['registered', 'lost over an unreadable frame', 'registered', 'lost'])
  })
})

describe('a subscription whose connection is lost', () => {
  test('says so, and registers on another one without declaring again', async () => {
    const { told, declare, logged, subscription } = await runSteadily()
    subscription.setPrefetch(4)
    await settle()
    connection().lose()
    expect(told).toEqual(['registered', 'registered', 'lost'])
    expect(subscription.isSettled).toBe(false)
    await passMs(100)
    expect(broker.connections).toHaveLength(2)
    expect(channel().written).toEqual(['qos 4', 'consume q'])
    expect(told.at(-1)).toBe('registered')
    expect(declare).toHaveBeenCalledOnce()
    expect(logged()).toEqual([begun, over])
  })

  test('is not settled until it has another, also if nothing is wanted', async () => {
    const { subscription } = await runSubscription({ prefetch: 0 })
    connection().lose()
    expect(subscription.isSettled).toBe(false)
    await passMs(1_000)
    expect(subscription.isSettled).toBe(true)
  })

  test('while its channel is opened leaves that, and registers on another connection', async () => {
    const { subscription, told } = createSubscription()
    const open = holdOpening()
    void subscription.run()
    await passMs(0)
    connection().lose()
    open()
    await passMs(1_000)
    expect(broker.connections).toHaveLength(2)
    expect(channel().written).toEqual(['qos 10', 'consume q'])
    expect([told.at(-1), subscription.isSettled]).toEqual(['registered', true])
  })

  test('soon after it was made consumes on the next one only when that has lasted', async () => {
    await runSubscription()
    connection().lose()
    await passMs(400)
    expect(broker.connections).toHaveLength(2)
    expect(connection().consumerChannels).toEqual([])
    await passMs(500)
    expect(channel().written).toEqual(['qos 10', 'consume q'])
  })

  test('on probation does not consume on that, and waits as long for the next', async () => {
    await runSubscription()
    connection().lose()
    await passMs(300)
    connection().lose()
    await passMs(300)
    expect(broker.connections).toHaveLength(3)
    expect(broker.connections.slice(1).flatMap(({ consumerChannels }) => consumerChannels)).toEqual([])
    await passMs(500)
    expect(channel().written).toEqual(['qos 10', 'consume q'])
  })

  test('because a frame cannot be read is not on probation, as that is no fault of the network', async () => {
    await runSubscription()
    connection().lose(new RangeError('Maximum call stack size exceeded'))
    await passMs(100)
    expect(broker.connections).toHaveLength(2)
    expect(channel().written).toEqual(['qos 10', 'consume q'])
  })

  test('has a longer probation with each connection that does not last, up to two seconds', async () => {
    await runSubscription()
    const probations: number[] = []
    for (let losses = 0; losses < 4; losses += 1) {
      connection().lose()
      const { length } = broker.connections
      while (broker.connections.length === length) await passMs(10)
      let ms = 0
      for (; connection().consumerChannels.length === 0; ms += 10) await passMs(10)
      probations.push(Math.round(ms / 100) * 100)
    }
    expect(probations).toEqual([500, 1_000, 2_000, 2_000])
  })
})

describe('a subscription whose channel is closed by the broker', () => {
  test('opens another on the same connection', async () => {
    const { told, declare, logged } = await runSteadily()
    channel().fail(protocolError)
    expect(told).toEqual(['registered', 'lost'])
    await passMs(100)
    expect([broker.connections.length, connection().consumerChannels.length]).toEqual([1, 2])
    expect(told).toEqual(['registered', 'lost', 'registered'])
    expect(declare).toHaveBeenCalledOnce()
    expect(logged()).toEqual([begun, over])
  })

  /** After as many channels that did not last as make the pauses long. */
  async function runAfterShortLives() {
    const created = await runSubscription()
    for (let losses = 0; losses < 6; losses += 1) {
      channel().fail(protocolError)
      await passMs(3_000)
    }
    return created
  }

  test('pauses longer each time that it does not last', async () => {
    await runAfterShortLives()
    const { length } = connection().consumerChannels
    channel().fail(protocolError)
    await passMs(1_000)
    expect(connection().consumerChannels).toHaveLength(length)
    await passMs(2_000)
    expect(connection().consumerChannels).toHaveLength(length + 1)
  })

  test('pauses for a short time after one that has lasted', async () => {
    await runAfterShortLives()
    await passMs(3_001)
    const { length } = connection().consumerChannels
    channel().fail(protocolError)
    await passMs(100)
    expect(connection().consumerChannels).toHaveLength(length + 1)
  })

  test('because its queue is missing declares that first', async () => {
    const { declare, told } = await runSteadily()
    declare.mockRejectedValueOnce(away)
    channel().fail(notFound)
    await passMs(500)
    expect(declare).toHaveBeenCalledTimes(3)
    expect(told).toEqual(['registered', 'lost', 'registered'])
  })

  test('does not fail because the queue has other arguments by then', async () => {
    const { declare, told, running } = await runSteadily()
    const failed = vi.fn()
    running.catch(failed)
    declare.mockRejectedValueOnce(mismatch)
    channel().fail(notFound)
    await passMs(500)
    expect(failed).not.toHaveBeenCalled()
    expect(told).toEqual(['registered', 'lost', 'registered'])
  })
})

describe('a subscription that the broker cancels', () => {
  test('declares its queue and registers again on the same channel', async () => {
    const { declare, told, logged } = await runSteadily()
    channel().deliver(null)
    expect(told).toEqual(['registered', 'cancelled'])
    await settle()
    expect(declare).toHaveBeenCalledTimes(2)
    expect(channel().written.slice(2)).toEqual(['qos 10', 'consume q'])
    expect(connection().consumerChannels).toHaveLength(1)
    expect(told).toEqual(['registered', 'cancelled', 'registered'])
    expect(logged()).toEqual([begun, over])
  })

  test('tries again to declare, with pauses, also if the queue has other arguments by then', async () => {
    const { declare, told } = await runSteadily()
    declare.mockRejectedValueOnce(away).mockRejectedValueOnce(mismatch)
    channel().deliver(null)
    await settle()
    expect(declare).toHaveBeenCalledTimes(2)
    await passMs(1_000)
    expect(declare).toHaveBeenCalledTimes(4)
    expect(told.at(-1)).toBe('registered')
  })

  test('leaves that to the next channel if this one is closed meanwhile', async () => {
    const { declare, told } = await runSteadily()
    declare.mockRejectedValueOnce(away)
    channel().deliver(null)
    await settle()
    channel().fail(notFound)
    await settle()
    expect(declare).toHaveBeenCalledTimes(2)
    await passMs(1_000)
    expect(declare).toHaveBeenCalledTimes(3)
    expect(connection().consumerChannels.map(({ written }) => written)).toEqual([
      ['qos 10', 'consume q'],
      ['qos 10', 'consume q'],
    ])
    expect(told).toEqual(['registered', 'cancelled', 'lost', 'registered'])
  })
})

describe('a subscription whose peer is of no use', () => {
  test('leaves a connection on which no channel is opened in time', async () => {
    const { subscription, told } = createSubscription()
    holdOpening()
    void subscription.run()
    await passMs(9_999)
    expect(broker.connections).toHaveLength(1)
    broker.openConsumerChannel = async () => openChannel()
    await passMs(200)
    expect(broker.connections).toHaveLength(2)
    expect(broker.connections[0]?.socket.aborted).toBe(true)
    expect(told).toEqual(['registered'])
  })

  test('leaves a connection at once that had ended when it was handed out', async () => {
    const { subscription, told } = createSubscription()
    broker.openConsumerChannel = () => Promise.reject(new IllegalOperationError('Connection closed', ''))
    void subscription.run()
    await passMs(0)
    broker.openConsumerChannel = async () => openChannel()
    await passMs(200)
    expect(broker.connections).toHaveLength(2)
    expect(told).toEqual(['registered'])
  })

  test('connects again when it is told to', async () => {
    const { subscription, told } = await runSteadily()
    subscription.restart(new Error('The broker answers, but has not registered the consumer.'))
    await passMs(200)
    expect(broker.connections).toHaveLength(2)
    expect(told).toEqual(['registered', 'lost', 'registered'])
  })
})

describe('the messages that wait', () => {
  test('are counted on a channel that is closed afterwards', async () => {
    const { subscription } = await runSubscription()
    const counter = openChannel()
    counter.messageCount = 7
    broker.openConsumerChannel = async () => counter
    expect(await subscription.countWaiting()).toBe(7)
    expect([counter.written, counter.isClosed]).toEqual([['check q', 'close'], true])
  })

  test('cannot be counted without a connection', async () => {
    const { subscription } = createSubscription()
    await expect(subscription.countWaiting()).rejects.toThrow('There is no connection to ask on.')
  })

  test('that are not counted in time mean that the connection is left', async () => {
    const { subscription } = await runSteadily()
    holdOpening()
    const counting = subscription.countWaiting()
    counting.catch(() => {})
    await passMs(10_000)
    await expect(counting).rejects.toThrow('The broker did not answer within 10000 ms.')
    expect(broker.connections[0]?.socket.aborted).toBe(true)
  })

  test('that cannot be counted for another reason leave the connection alone', async () => {
    const { subscription } = await runSteadily()
    broker.openConsumerChannel = () => Promise.reject(notFound)
    await expect(subscription.countWaiting()).rejects.toBe(notFound)
    await passMs(0)
    expect(connection().socket.aborted).toBe(false)
  })
})

describe('a subscription that ends', () => {
  test('takes nothing more, and lets what is in flight be settled', async () => {
    const { subscription, onDelivery, logged } = await runSubscription()
    const message = createConsumeMessage()
    channel().deliver(message)
    await subscription.end()
    subscription.setPrefetch(10)
    await passMs(0)
    expect(channel().written.slice(2)).toEqual(['cancel 1'])
    onDelivery.mock.calls[0]?.[1].channel.ack(message)
    await settle()
    expect(channel().written.slice(3)).toEqual(['ack up to 1'])
    expect(logged()).toEqual([])
  })

  test('is not registered again when its channel or connection is lost, which is no outage', async () => {
    const { subscription, running, told, logged } = await runSubscription()
    await subscription.end()
    connection().lose()
    await passMs(10_000)
    await running
    expect(told).toEqual(['registered', 'lost'])
    expect(broker.connections.slice(1).flatMap(({ consumerChannels }) => consumerChannels)).toEqual([])
    expect(logged()).toEqual([])
  })

  test('while its channel is opened is not registered', async () => {
    const { subscription } = createSubscription()
    const open = holdOpening()
    void subscription.run()
    await passMs(0)
    await subscription.end()
    subscription.setPrefetch(10)
    open()
    await passMs(0)
    expect(channel().written.slice(2)).toEqual(['cancel 1'])
  })
})

describe('a subscription that is closed', () => {
  test('writes its acks, closes its channel and then its connection', async () => {
    const { subscription, running, onDelivery, logged } = await runSubscription()
    const message = createConsumeMessage()
    channel().deliver(message)
    onDelivery.mock.calls[0]?.[1].channel.ack(message)
    await subscription.close()
    await running
    expect(channel().written.slice(2)).toEqual(['ack up to 1', 'close'])
    await settle()
    expect(connection().socket.aborted).toBe(true)
    expect(logged()).toEqual([])
    expect(vi.getTimerCount()).toBe(0)
  })

  test.each([
    ['it was not run', () => {}],
    ['the broker is away', () => (broker.answer = () => away)],
    ['the broker hangs', () => (broker.answer = () => 'hang')],
  ])('is so at once if %s', async (_what, prepare) => {
    prepare()
    const { subscription } = createSubscription()
    if (broker.answer('') !== 'open') void subscription.run()
    await passMs(0)
    await subscription.close()
    expect(vi.getTimerCount()).toBe(0)
  })

  test('tells the declaring to end', async () => {
    const { subscription, declare, logged } = createSubscription()
    declare.mockImplementation(
      ({ signal }) => new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
    )
    const running = subscription.run()
    await passMs(0)
    await subscription.close()
    await running
    expect(logged()).toEqual([])
  })

  test('opens no channel when it is declared after that', async () => {
    const { subscription, declare } = createSubscription()
    const { opened, open } = createGate()
    declare.mockReturnValue(opened)
    void subscription.run()
    await passMs(0)
    connection().frozen = true
    void subscription.close()
    open()
    await passMs(0)
    expect(connection().consumerChannels).toEqual([])
  })

  test('does not wait for ever for a frozen peer', async () => {
    const { subscription } = await runSubscription()
    channel().close = () => new Promise(() => {})
    connection().frozen = true
    const closed = vi.fn()
    void subscription.close().then(closed)
    await passMs(4_999)
    expect(closed).not.toHaveBeenCalled()
    await passMs(1)
    expect(closed).toHaveBeenCalledOnce()
    expect(connection().socket.aborted).toBe(true)
  })

  test('ends a probation and a pause', async () => {
    const { subscription, running } = await runSubscription()
    connection().lose()
    await passMs(200)
    await subscription.close()
    await running
    expect(vi.getTimerCount()).toBe(0)
  })
})
