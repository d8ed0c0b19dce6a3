import { createRecordingLogger, waitFor } from '@mono/test-support'
import { type ChannelModel, IllegalOperationError } from 'amqplib'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { createFakeBroker, type FakeConnection, settle } from '../../test/support/fake-broker.js'
import { createFakePublisher } from '../../test/support/fake-publisher.js'
import { BrokerConnection, connectionLimits } from './broker-connection.js'
import { toBrokerEndpoint } from './broker-endpoint.js'

const urls = ['amqp://one/mono', 'amqp://two/mono', 'amqp://three/mono']

test('tries every node before it pauses', async () => {
  const { publisher, broker, settle } = createFakePublisher({ urls })
  broker.answer = () => new Error('connect ECONNREFUSED')
  const connecting = publisher.connect().catch((error: unknown) => error)
  await settle()
  expect(broker.tried.map((url) => new URL(url).hostname)).toEqual(['one', 'two', 'three'])
  await publisher.close()
  await connecting
})

test('goes on to the next node when one hangs', async () => {
  const { publisher, broker } = createFakePublisher({ urls }, { connectTimeoutMs: 20 })
  broker.answer = (url) => {
    if (url.includes('one')) return new Error('connect ECONNREFUSED')
    return url.includes('two') ? 'hang' : 'open'
  }
  await publisher.connect()
  expect(broker.tried.map((url) => new URL(url).hostname)).toEqual(['one', 'two', 'three'])
  expect(publisher.lastError?.message).toBe('no answer to the AMQP handshake within 20 ms')
  await publisher.close()
})

test('after a loss it tries another node than the one that was lost', async () => {
  const { publisher, broker, connection } = createFakePublisher({ urls })
  await publisher.connect()
  connection().lose()
  await waitFor(() => publisher.connected, { what: 'the second connection' })
  expect(broker.tried.map((url) => new URL(url).hostname)).toEqual(['one', 'two'])
  await publisher.close()
})

test('a loss is known at once, whether the broker or the network ends the connection', async () => {
  for (const error of [new Error('read ECONNRESET'), undefined]) {
    const { publisher, connection } = createFakePublisher()
    await publisher.connect()
    connection().lose(error)
    expect([publisher.state, publisher.connected]).toEqual(['connecting', false])
    expect(publisher.lastError).toBeInstanceOf(Error)
    await publisher.close()
  }
})

test('the socket of a lost connection is destroyed', async () => {
  const { publisher, connection, settle } = createFakePublisher()
  await publisher.connect()
  const lost = connection()
  lost.lose()
  await settle()
  expect(lost.socket.aborted).toBe(true)
  await publisher.close()
})

test('waiting for a connection ends by its deadline or signal, and the attempts go on', async () => {
  const { publisher, broker } = createFakePublisher()
  broker.answer = () => new Error('connect ECONNREFUSED')
  await expect(publisher.connect({ deadlineMs: 20 })).rejects.toMatchObject({
    reason: 'deadline',
    message: expect.stringContaining('connect ECONNREFUSED'),
  })
  await expect(publisher.connect({ signal: AbortSignal.timeout(20) })).rejects.toThrow('timeout')
  broker.answer = () => 'open'
  await publisher.connect()
  await publisher.close()
})

test('an error without a message still says something', async () => {
  const { publisher, broker } = createFakePublisher()
  broker.answer = () => new AggregateError([new Error('connect ECONNREFUSED ::1:5672'), new Error('no route')])
  await expect(publisher.connect({ deadlineMs: 20 })).rejects.toThrow('connect ECONNREFUSED ::1:5672; no route')
  await publisher.close()
})

test('closing a connection whose peer is frozen takes no longer than the limit', async () => {
  const { publisher, connection } = createFakePublisher({}, { closeTimeoutMs: 20 })
  await publisher.connect()
  connection().frozen = true
  await publisher.close()
  expect(connection().socket.aborted).toBe(true)
})

describe('a connection that amqplib hands out ended, and whose events are over', () => {
  async function createEnded() {
    const made = createFakePublisher()
    await made.publisher.connect()
    const ended = made.connection()
    const failure = new IllegalOperationError('Connection closed', '')
    ended.lose = () => {}
    ended.close = () => Promise.reject(failure)
    ended.createConfirmChannel = () => Promise.reject(failure)
    return made
  }

  test('is closed nevertheless', async () => {
    const { publisher } = await createEnded()
    await publisher.close()
    expect(publisher.state).toBe('closed')
  })

  test('is left for another by the next publish', async () => {
    const { publisher, broker, publish } = await createEnded()
    const { settled } = publish('m-1')
    settled.catch(() => {})
    await waitFor(() => broker.connections.length === 2, { what: 'another connection' })
    await publisher.close()
  })
})

test('an error after the end is no unhandled event', async () => {
  const { publisher, connection } = createFakePublisher()
  await publisher.connect()
  await publisher.close()
  expect(() => connection().emit('error', new Error('write EPIPE'))).not.toThrow()
})

/** A connection by itself, which has been started. The broker answers each attempt as told, and all others by opening. */
function startConnection(answers: (Error | 'open')[] = []) {
  const broker = createFakeBroker()
  broker.answer = () => answers.shift() ?? 'open'
  const { lines, ...logger } = createRecordingLogger()
  const unavailable: string[] = []
  const connection = new BrokerConnection({
    ...connectionLimits,
    endpoints: [toBrokerEndpoint('amqp://one/mono', { heartbeatSeconds: 10 })],
    connectionName: 'test',
    logger,
    connect: broker.connect,
    onUnavailable: (error) => unavailable.push(error.message),
  })
  connection.start()
  const warnings = () => lines.filter(({ level }) => level === 'warn').map(({ data }) => (data.err as Error).message)
  /** The latest. */
  const opened = () => broker.connections.at(-1) as FakeConnection
  return { broker, connection, opened, unavailable, warnings }
}

/** Lets that time pass on fake timers. */
async function passMs(ms: number): Promise<void> {
  await vi.advanceTimersByTimeAsync(ms)
}

function useFakeTimers(): void {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
}

afterEach(() => void vi.useRealTimers())

describe('a connection that is reset', () => {
  test('is left though its end is never told, and another is made', async () => {
    const { connection, broker, opened, unavailable } = startConnection()
    await settle()
    const [useless, { ended, model }] = [opened(), connection]
    // As a connection that had ended before it was handed out: its events are over.
    useless.lose = () => {}
    connection.reset(model as ChannelModel, new Error('no answer'))
    expect([connection.state, connection.model, connection.lastError?.message]).toEqual([
      'connecting',
      undefined,
      'no answer',
    ])
    expect(unavailable).toEqual(['no answer'])
    await settle()
    expect([useless.socket.aborted, ended?.aborted]).toEqual([true, true])
    await waitFor(() => connection.model, { what: 'the second connection' })
    expect(broker.connections).toHaveLength(2)
    expect(connection.model).toBe(opened())
    await connection.close()
  })

  test('is told once, also if its end is told after all', async () => {
    const { connection, unavailable, warnings } = startConnection()
    await settle()
    connection.reset(connection.model as ChannelModel, new Error('no answer'))
    // The socket is destroyed, and amqplib tells of that.
    await settle()
    expect([unavailable, warnings()]).toEqual([['no answer'], ['no answer']])
    await connection.close()
  })

  test('has no effect on another one', async () => {
    const { connection, broker, opened } = startConnection()
    await settle()
    const first = connection.model as ChannelModel
    opened().lose()
    connection.reset(first, new Error('too late'))
    await waitFor(() => connection.model, { what: 'the second connection' })
    const second = connection.model
    connection.reset(first, new Error('too late'))
    await settle()
    expect(connection.model).toBe(second)
    expect([broker.connections.length, opened().socket.aborted]).toEqual([2, false])
    expect(connection.lastError?.message).toBe('read ECONNRESET')
    await connection.close()
  })
})

describe('the pause after a connection that did not last', () => {
  /** Lost as soon as it is made, after as many failures as make the pauses long. */
  async function loseAfterFailures(error: Error) {
    const started = await openAfterFailures()
    started.opened().lose(error)
    return started
  }

  async function openAfterFailures() {
    useFakeTimers()
    const started = startConnection(Array(8).fill(new Error('connect ECONNREFUSED')))
    await settle()
    while (started.broker.connections.length === 0) await passMs(50)
    return started
  }

  test('is no shorter than before', async () => {
    const { connection, broker } = await loseAfterFailures(new Error('read ECONNRESET'))
    await passMs(1_000)
    expect(broker.connections).toHaveLength(1)
    await passMs(2_000)
    expect(broker.connections).toHaveLength(2)
    await connection.close()
  })

  test('is short if the broker sent a frame that cannot be read', async () => {
    const error = new RangeError('Maximum call stack size exceeded')
    const { connection, broker } = await loseAfterFailures(error)
    await passMs(100)
    expect(broker.connections).toHaveLength(2)
    await connection.close()
  })

  test('is short if the connection had lasted', async () => {
    const { connection, broker, opened } = await openAfterFailures()
    await passMs(4_000)
    opened().lose()
    await passMs(100)
    expect(broker.connections).toHaveLength(2)
    await connection.close()
  })
})

describe('an outage', () => {
  const away = new Error('connect ECONNREFUSED')
  const refused = new Error('Handshake terminated by server: 403 (ACCESS-REFUSED)')

  test('is one line, and one more if the broker then refuses', async () => {
    useFakeTimers()
    const { connection, warnings } = startConnection([away, away, refused, away, refused])
    await settle()
    await passMs(15_000)
    expect(connection.state).toBe('open')
    expect(warnings()).toEqual([away.message, refused.message])
    await connection.close()
  })

  test('tells of a refusal again after there was a connection', async () => {
    useFakeTimers()
    const { connection, opened, warnings } = startConnection([away, refused, 'open', refused])
    await settle()
    await passMs(2_000)
    opened().lose()
    await passMs(5_000)
    expect(connection.state).toBe('open')
    expect(warnings()).toEqual([away.message, refused.message, 'read ECONNRESET', refused.message])
    await connection.close()
  })

  test('is told with each attempt that fails and each loss, and not with its end', async () => {
    useFakeTimers()
    const { connection, opened, unavailable } = startConnection([away, refused])
    await settle()
    await passMs(5_000)
    opened().lose()
    expect(unavailable).toEqual([away.message, refused.message, 'read ECONNRESET'])
    await connection.close()
    expect(unavailable).toHaveLength(3)
  })
})
