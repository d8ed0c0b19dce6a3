import { type ConsumeMessage, type GetMessage, IllegalOperationError } from 'amqplib'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { createConsumeMessage } from '../../test/support/create-consume-message.js'
import { createFakeBroker, type FakeBroker, settle } from '../../test/support/fake-broker.js'
import { FakeConsumerChannel } from '../../test/support/fake-consumer-channel.js'
import { DeadLetterReader } from './dead-letter-reader.js'

let broker: FakeBroker
let queue: FakeQueue

vi.mock('../connection/open-connection.js', async (importOriginal) => ({
  ...(await importOriginal<object>()),
  connectToBroker: (...attempt: Parameters<FakeBroker['connect']>) => broker.connect(...attempt),
}))

vi.mock('./set-head-aside.js', () => ({ setHeadAside: async () => queue.setHeadAside() }))

const unreadable = 'headers nested thousands of levels deep'

/** The messages that are ready, by their bodies. */
class FakeQueue {
  /** How long the broker takes to notice the end of a channel. */
  putBackMs = 0
  ready: string[]
  /** Taken by somebody else as soon as it is put back. */
  wantedByOthers: string | undefined

  constructor(bodies: readonly string[]) {
    this.ready = [...bodies]
  }

  setHeadAside() {
    const aside = this.ready.splice(0, 1)
    return { isHeld: () => true, putBack: async () => void this.ready.unshift(...aside) }
  }

  putBack(bodies: readonly string[]): void {
    const putBack = () => void this.ready.unshift(...bodies.filter((body) => body !== this.wantedByOthers))
    if (this.putBackMs === 0) putBack()
    else setTimeout(putBack, this.putBackMs)
  }
}

/** Its connection is lost over a message that cannot be read, which is not answered then. */
class FakeReaderChannel extends FakeConsumerChannel {
  override answersAtOnce = true
  readonly #taken: string[] = []

  override async checkQueue(): Promise<{ messageCount: number }> {
    return { messageCount: queue.ready.length }
  }

  async get(): Promise<GetMessage | false> {
    if (this.isClosed) throw new IllegalOperationError('Channel closed', '')
    const body = queue.ready.shift()
    if (body === undefined) return false
    this.#taken.push(body)
    if (body !== unreadable) return createConsumeMessage({ body }) as unknown as GetMessage
    setImmediate(() => broker.connections.at(-1)?.lose(new RangeError('Maximum call stack size exceeded')))
    return await new Promise(() => undefined)
  }

  override ack({ content }: ConsumeMessage): void {
    this.#taken.splice(this.#taken.indexOf(content.toString()), 1)
  }

  nackAll(): void {
    queue.putBack(this.#taken.splice(0))
  }

  override end(error?: Error): void {
    queue.putBack(this.#taken.splice(0))
    super.end(error)
  }
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
  broker = createFakeBroker()
  broker.openConsumerChannel = async () => new FakeReaderChannel()
})

afterEach(() => void vi.useRealTimers())

function createReader(bodies: readonly string[]) {
  queue = new FakeQueue(bodies)
  const reader = new DeadLetterReader({ urls: ['amqp://one/mono'], queue: 'q.dlq', deadlineMs: 10_000 })
  return {
    reader,
    count: () => inTime(reader.count()),
    take: async (count: number) => (await inTime(reader.take(count))).map(({ content }) => content.toString()),
    close: () => inTime(reader.close()),
  }
}

/** Lets as much time pass as it takes. */
async function inTime<T>(promise: Promise<T>): Promise<T> {
  let isPending = true
  const outcome = promise.finally(() => {
    isPending = false
  })
  outcome.catch(() => {})
  for (await settle(); isPending; await settle()) await vi.advanceTimersByTimeAsync(50)
  return await outcome
}

describe('a reader of dead letters', () => {
  test('takes them in order, and puts back at its end what was not acknowledged', async () => {
    const { reader, count, take, close } = createReader(['a', 'b', 'c'])
    expect(await count()).toBe(3)
    const [first] = await inTime(reader.take(1))
    expect(await take(5)).toEqual(['b', 'c'])
    if (first) reader.ack(first)
    await close()
    expect(queue.ready).toEqual(['b', 'c'])
  })

  test('passes over one that cannot be read, comes back to where it was, and puts that back too', async () => {
    const { reader, count, take, close } = createReader(['a', 'b', 'c', unreadable, 'd', 'e'])
    await count()
    expect(await take(2)).toEqual(['a', 'b'])
    expect(await take(3)).toEqual(['c', 'd', 'e'])
    expect(reader.unreadable).toBe(1)
    await close()
    expect(queue.ready.toSorted()).toEqual(['a', 'b', 'c', 'd', 'e', unreadable])
  })

  test('sets aside that one, however long the broker takes to put back the others', async () => {
    const { reader, count, take, close } = createReader(['a', unreadable, 'b', 'c'])
    queue.putBackMs = 1_000
    await count()
    expect(await take(4)).toEqual(['a', 'b', 'c'])
    expect(reader.unreadable).toBe(1)
    await close()
  })

  test('passes over two that follow each other', async () => {
    const { reader, count, take, close } = createReader(['a', unreadable, unreadable, 'b'])
    await count()
    expect(await take(4)).toEqual(['a', 'b'])
    expect(reader.unreadable).toBe(2)
    await close()
  })

  test('goes on when somebody else has taken a message that was put back, and may leave one for the next reader', async () => {
    const { reader, count, take, close } = createReader(['a', 'b', unreadable, 'c'])
    queue.wantedByOthers = 'a'
    await count()
    expect(await take(1)).toEqual(['a'])
    expect(await take(2)).toEqual(['c'])
    expect(reader.unreadable).toBe(1)
    await close()
    expect(queue.ready.toSorted()).toEqual(['b', 'c', unreadable])
  })

  test('ends when more than 20 cannot be read', async () => {
    const { count, take, close } = createReader(Array<string>(21).fill(unreadable))
    await count()
    await expect(take(1)).rejects.toThrow('Expected at most 20 messages in q.dlq that cannot be read')
    await close()
    expect(queue.ready).toHaveLength(21)
  })

  test('ends when its connection is lost for another reason', async () => {
    const { reader, count, take, close } = createReader(['a', 'b'])
    await count()
    await take(1)
    broker.connections.at(-1)?.lose()
    await expect(take(1)).rejects.toThrow('Channel closed')
    expect(reader.unreadable).toBe(0)
    await close()
  })
})
