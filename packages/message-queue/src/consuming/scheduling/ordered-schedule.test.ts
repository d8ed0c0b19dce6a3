import { examples } from '@mono/contracts'
import { createRecordingLogger } from '@mono/test-support'
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { createConsumeMessage } from '../../../test/support/create-consume-message.js'
import { settle } from '../../../test/support/fake-broker.js'
import { DeferError, PermanentError, RetryableError } from '../../errors/handler-errors.js'
import { DeliveryFlow } from '../delivery-flow.js'
import { BatchIntake } from '../handling/batch-intake.js'
import { MessageIntake } from '../handling/message-intake.js'
import type { ReceivedMessage } from '../reading/received-message.js'
import { Delivery } from '../receiving/delivery.js'
import type { SettledEvent } from '../settling/settled-event.js'
import { Settler } from '../settling/settler.js'
import { OrderedSchedule } from './ordered-schedule.js'
import type { TrialJournal } from './trial-journal.js'

const queue = 'chat.messages'
const away = new DeferError('no database', { code: 'DATABASE_UNAVAILABLE' })

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance', 'Date'] })
})

afterEach(() => {
  vi.useRealTimers()
})

type Result = Record<string, unknown> | Error | undefined

interface Call {
  names: string[]
  attempts: number[]
  /** Ends the handler: with failures by message, or an error for all. */
  end(result?: Result): Promise<void>
}

/** A flow in order over real reading and settling; messages are called `<conversation><number>`: a1, a2, b1. */
function createFlow({ size = 100, journal }: { size?: number; journal?: TrialJournal } = {}) {
  const { lines, ...logger } = createRecordingLogger()
  const done: string[] = []
  const calls: Call[] = []
  const events: SettledEvent[] = []
  const forwards: { copy: string; confirm(): void }[] = []
  let confirmsAtOnce = true
  let channelEnd = new AbortController()

  const handle = (messages: readonly ReceivedMessage[]) =>
    new Promise<ReadonlyMap<ReceivedMessage, unknown>>((resolve, reject) => {
      calls.push({
        names: messages.map(({ messageId }) => messageId),
        attempts: messages.map(({ attempt }) => attempt),
        async end(result) {
          if (result instanceof Error) reject(result)
          else resolve(new Map(Object.entries(result ?? {}).map(([name, thrown]) => [byName(messages, name), thrown])))
          await settle()
        },
      })
    })
  const settler = new Settler({
    queue,
    workerName: 'test',
    logger,
    onSettled: (event) => events.push(event),
    forward: (publication, copy, lost) =>
      new Promise((resolve, reject) => {
        done.push(`forward ${copy.properties.messageId} to ${publication}`)
        lost.addEventListener('abort', () => reject(lost.reason))
        if (confirmsAtOnce) resolve()
        else forwards.push({ copy: String(copy.properties.messageId), confirm: resolve })
      }),
  })
  const flow = new DeliveryFlow({
    queue,
    logger,
    settler,
    onPrefetch: (prefetch) => done.push(`prefetch ${prefetch}`),
    createSchedule: (parts) =>
      new OrderedSchedule({
        ...parts,
        queue,
        logger,
        handlerTimeoutMs: 60_000,
        consumerTimeoutMs: 1_800_000,
        journal,
        createIntake: (options) =>
          size === 1
            ? new MessageIntake(async (message) => void (await handleOne(message)), logger, options)
            : new BatchIntake(handle, logger, { size, maxWaitMs: 1_000 }, options),
      }),
  })
  async function handleOne(message: ReceivedMessage) {
    const failures = await handle([message])
    for (const thrown of failures.values()) throw thrown
  }
  onTestFinished(() => flow.abort())

  return {
    flow,
    calls,
    events,
    done: () => done.splice(0),
    forwards,
    lines,
    holdForwards() {
      confirmsAtOnce = false
    },
    async receive(names: string, { ends = 0, body }: { ends?: number; body?: string } = {}) {
      for (const name of names.split(' ')) {
        const message = createConsumeMessage({
          exchange: 'messages',
          routingKey: 'chat.direct',
          body: body ?? { ...examples['chat.message'], messageId: name, conversationId: name[0] },
          redelivered: ends > 0,
          properties: { messageId: name, headers: { 'x-delivery-count': ends } },
        })
        const end = channelEnd
        const channel = {
          ack() {
            if (end.signal.aborted) throw new Error('closed')
            done.push(`ack ${name}`)
          },
          reject: (_: unknown, { requeue }: { requeue: boolean }) =>
            void done.push(`${requeue ? 'return' : 'reject'} ${name}`),
          closed: end.signal,
          maxFrameBytes: 131_072,
        }
        flow.receive(new Delivery(queue, message, { channel, alone: false }))
      }
      await settle()
    },
    async lose(loss = { isUnreadable: false }) {
      channelEnd.abort(new Error('lost'))
      channelEnd = new AbortController()
      flow.lose(loss)
      await settle()
    },
  }
}

function byName(messages: readonly ReceivedMessage[], name: string): ReceivedMessage {
  const message = messages.find(({ messageId }) => messageId === name)
  if (!message) throw new Error(`Expected ${name} in the batch, found ${messages.map(({ messageId }) => messageId)}`)
  return message
}

/** Lets that time pass, and everything happen that follows. */
async function passMs(ms: number) {
  await vi.advanceTimersByTimeAsync(ms)
  await settle()
}

const kept = (events: readonly SettledEvent[]) =>
  events.filter(({ isInHand }) => isInHand).map(({ outcome, attempt }) => `${outcome} ${attempt}`)

describe('an ordered schedule', () => {
  test('hands on together what is at hand, and next what has come meanwhile', async () => {
    const { receive, calls, done } = createFlow()
    await receive('a1 b1 a2')
    await receive('a3 c1')
    expect(calls.map(({ names }) => names)).toEqual([['a1', 'b1', 'a2']])
    await calls[0]?.end()
    expect(done()).toEqual(['ack a1', 'ack b1', 'ack a2'])
    expect(calls[1]?.names).toEqual(['a3', 'c1'])
  })

  test('hands on no more than the handler takes, in the order of delivery', async () => {
    const { receive, calls } = createFlow({ size: 2 })
    await receive('a1 a2 a3 b1')
    await calls[0]?.end()
    expect(calls.map(({ names }) => names)).toEqual([
      ['a1', 'a2'],
      ['a3', 'b1'],
    ])
  })

  test('hands single messages of different conversations on side by side, those of one in turn', async () => {
    const { receive, calls } = createFlow({ size: 1 })
    await receive('a1 b1 a2')
    expect(calls.map(({ names }) => names)).toEqual([['a1'], ['b1']])
    await calls[0]?.end()
    expect(calls.map(({ names }) => names)).toEqual([['a1'], ['b1'], ['a2']])
  })

  test('a message that is retried holds back its conversation and no other', async () => {
    const { receive, calls, done, events } = createFlow()
    await receive('a1 b1')
    await calls[0]?.end({ a1: new RetryableError('not now') })
    expect(done()).toEqual(['ack b1'])
    await receive('a2 b2')
    expect(calls.map(({ names }) => names)).toEqual([['a1', 'b1'], ['b2']])
    await passMs(999)
    expect(calls).toHaveLength(2)
    await passMs(1)
    expect([calls[2]?.names, calls[2]?.attempts]).toEqual([['a1'], [2]])
    await calls[1]?.end()
    await calls[2]?.end({ a1: new RetryableError('not now') })
    await passMs(4_999)
    expect(calls).toHaveLength(3)
    await passMs(1)
    expect([calls[3]?.names, calls[3]?.attempts]).toEqual([['a1'], [3]])
    await calls[3]?.end()
    expect(calls[4]?.names).toEqual(['a2'])
    expect(kept(events)).toEqual(['retried 1', 'retried 2'])
  })

  test('tries a message that failed by itself by itself, so that it does not fail others again', async () => {
    const { receive, calls } = createFlow()
    await receive('a1 b1')
    await calls[0]?.end({ a1: new RetryableError('not now') })
    await receive('b2')
    await passMs(1_000)
    expect(calls.map(({ names }) => names)).toEqual([['a1', 'b1'], ['b2'], ['a1']])
  })

  test('a batch that fails as a whole stays in hand, and is tried again as one, with one event for each conversation', async () => {
    const { receive, calls, done, events } = createFlow()
    await receive('a1 b1 a2')
    await calls[0]?.end(away)
    expect(done()).toEqual([])
    expect(kept(events)).toEqual(['deferred 1', 'deferred 1'])
    await passMs(1_000)
    expect([calls[1]?.names, calls[1]?.attempts]).toEqual([
      ['a1', 'b1', 'a2'],
      [1, 1, 1],
    ])
  })

  test('what the handler has not tried behind one that is retried counts no attempt', async () => {
    const { receive, calls, events } = createFlow()
    await receive('a1 a2')
    await calls[0]?.end({ a1: new RetryableError('not now'), a2: new RetryableError('behind') })
    expect(kept(events)).toEqual(['retried 1'])
    await passMs(1_000)
    await calls[1]?.end()
    expect([calls[2]?.names, calls[2]?.attempts]).toEqual([['a2'], [1]])
  })

  test('a message that is given up goes to the dead-letter queue, and its conversation goes on when that is confirmed', async () => {
    const { receive, calls, done, forwards, holdForwards } = createFlow()
    holdForwards()
    await receive('a1 b1')
    await calls[0]?.end({ a1: new PermanentError('never', { code: 'INVALID_MESSAGE' }) })
    await receive('a2 b2')
    expect(done()).toEqual(['forward a1 to chat.messages.dlq', 'ack b1'])
    expect(calls.map(({ names }) => names)).toEqual([['a1', 'b1'], ['b2']])
    await calls[1]?.end()
    forwards[0]?.confirm()
    await settle()
    expect(done()).toEqual(['ack b2', 'ack a1'])
    expect(calls[2]?.names).toEqual(['a2'])
  })

  test('the others go on while a dead letter waits for its confirm', async () => {
    const { receive, calls, holdForwards } = createFlow()
    holdForwards()
    await receive('a1')
    await receive('b1')
    await calls[0]?.end({ a1: new PermanentError('never') })
    expect(calls[1]?.names).toEqual(['b1'])
  })

  test('after one that was given up, those that follow have one try each until one succeeds', async () => {
    const { receive, calls, done } = createFlow()
    await receive('a1 a2')
    await calls[0]?.end({ a1: new PermanentError('never'), a2: new RetryableError('not now') })
    expect(done()).toEqual(['forward a1 to chat.messages.dlq', 'forward a2 to chat.messages.dlq', 'ack a1', 'ack a2'])
  })

  test('what cannot be read is given up, and what follows is handled', async () => {
    const { receive, calls, done } = createFlow()
    await receive('x1', { body: '{' })
    await receive('a1')
    expect(done()).toEqual(['forward x1 to chat.messages.dlq', 'ack x1'])
    expect(calls[0]?.names).toEqual(['a1'])
  })
})

describe('a paused ordered schedule', () => {
  test('keeps everything in hand, and goes on at once when it is resumed', async () => {
    const { flow, receive, calls, done } = createFlow()
    await receive('a1')
    flow.pause(away)
    await calls[0]?.end(away)
    await receive('b1')
    await passMs(60_000)
    expect([done(), calls.length, flow.inFlight]).toEqual([[], 1, 2])
    flow.resume()
    await settle()
    expect(calls[1]?.names).toEqual(['a1', 'b1'])
  })

  test('gives back all after a third of the consumer timeout, and takes again when it is resumed', async () => {
    const { flow, receive, done, lose } = createFlow()
    flow.pause(away)
    await receive('a1')
    await passMs(599_999)
    expect(done()).toEqual([])
    await passMs(30_000)
    expect([done(), flow.prefetch]).toEqual([['prefetch 0'], 0])
    await lose()
    expect(flow.inFlight).toBe(0)
    await passMs(3_600_000)
    expect(done()).toEqual([])
    flow.resume()
    expect([done(), flow.prefetch]).toEqual([['prefetch 500'], 500])
  })
})

describe('an ordered schedule with a message that is in hand for long', () => {
  test('finishes what is at work, gives back the rest, and takes again', async () => {
    const { receive, calls, done, lose } = createFlow()
    await receive('a1')
    await calls[0]?.end({ a1: new DeferError('locked') })
    for (let second = 1; second < 590; second += 1) {
      await passMs(1_000)
      await calls[second]?.end({ a1: new DeferError('locked') })
    }
    await passMs(60_000)
    expect(done()).toEqual([])
    await calls.at(-1)?.end({ a1: new DeferError('locked') })
    expect(done()).toEqual(['prefetch 0', 'prefetch 500'])
    await receive('a2')
    expect(calls.at(-1)?.names).toEqual(['a1'])
    await lose()
    await receive('a1 a2', { ends: 1 })
    expect(calls.at(-1)?.names).toEqual(['a1', 'a2'])
  })
})

describe('an ordered schedule that gives back what was in hand for long', () => {
  test('is not kept from anything by a delivery that was lost and is at work', async () => {
    const { flow, receive, calls, done, lose } = createFlow()
    flow.pause(away)
    await receive('a1')
    await passMs(580_000)
    flow.resume()
    await settle()
    await lose()
    await passMs(40_000)
    await calls[0]?.end()
    await receive('b1')
    expect([done(), calls[1]?.names]).toEqual([[], ['b1']])
  })

  test('does so though what is at work does not end', async () => {
    const { receive, done, holdForwards, calls } = createFlow()
    holdForwards()
    await receive('a1')
    await calls[0]?.end({ a1: new PermanentError('never') })
    await passMs(630_000)
    expect(done()).toEqual(['forward a1 to chat.messages.dlq'])
    await passMs(600_000)
    expect(done()).toEqual(['prefetch 0', 'prefetch 500'])
  })
})

describe('an ordered schedule whose channel is lost', () => {
  test('begins nothing that is not begun, and takes what comes again behind what is at work', async () => {
    const { receive, calls, done, events, lose } = createFlow()
    await receive('a1')
    await receive('a2 b1')
    await lose()
    await receive('a1 a2', { ends: 1 })
    expect(calls.map(({ names }) => names)).toEqual([['a1']])
    await calls[0]?.end()
    expect(done()).toEqual([])
    expect(calls[1]?.names).toEqual(['a1', 'a2'])
    expect(events.map(({ outcome }) => outcome)).toEqual(['returned', 'returned', 'returned'])
  })

  test('forwards nothing of what failed by then', async () => {
    const { receive, calls, done, lose } = createFlow()
    await receive('a1')
    await lose()
    await calls[0]?.end({ a1: new RetryableError('not now') })
    await passMs(10_000)
    expect([done(), calls.length]).toEqual([[], 1])
  })

  test('over a frame that nobody can read takes one at a time, until one comes that was in hand at no loss', async () => {
    const { flow, receive, done, lose } = createFlow()
    await lose({ isUnreadable: true })
    expect([done(), flow.prefetch, flow.mode]).toEqual([['prefetch 1'], 1, 'cautious'])
    await receive('a1', { ends: 1 })
    expect(done()).toEqual([])
    await receive('a2')
    expect([done(), flow.mode]).toEqual([['prefetch 500'], 'normal'])
  })
})

describe('an ordered schedule at its end', () => {
  test('begins nothing more, finishes what is at work, and requeues nothing', async () => {
    const { flow, receive, calls, done, forwards, holdForwards } = createFlow()
    holdForwards()
    await receive('a1 b1')
    const drained = vi.fn()
    void flow.drain().then(drained)
    await receive('c1')
    await calls[0]?.end({ a1: new PermanentError('never') })
    expect(drained).not.toHaveBeenCalled()
    forwards[0]?.confirm()
    await settle()
    expect(drained).toHaveBeenCalled()
    expect(calls).toHaveLength(1)
    expect(done()).toEqual(['forward a1 to chat.messages.dlq', 'ack b1', 'ack a1'])
  })

  test('does not wait for what is kept for another try', async () => {
    const { flow, receive, calls } = createFlow()
    await receive('a1')
    await calls[0]?.end({ a1: new RetryableError('not now') })
    await flow.drain()
    await passMs(10_000)
    expect(calls).toHaveLength(1)
  })

  test('aborts the signal of its handlers when it is closed, and requeues nothing', async () => {
    const { flow, receive, calls, done } = createFlow()
    await receive('a1')
    await receive('a2')
    await calls[0]?.end({ a1: new PermanentError('never') })
    expect(calls[1]?.names).toEqual(['a2'])
    done()
    flow.abort()
    await settle()
    // The handler that was told to stop says nothing of the message, though this was its last try.
    expect(done()).toEqual([])
  })
})

describe('an ordered schedule and a message that was in hand at three deaths', () => {
  function createJournal(tries: Record<string, number> = {}) {
    const told: string[] = []
    const names = new Map<string, string>()
    const nameOf = (key: string) => names.get(key) ?? names.set(key, `m${names.size + 1}`).get(key) ?? ''
    const journal = {
      begin: vi.fn(async (key: string) => {
        const name = nameOf(key)
        told.push(`begin ${name}`)
        return tries[name] ?? 0
      }),
      end: vi.fn(async (key: string) => void told.push(`end ${nameOf(key)}`)),
    }
    return { journal, told }
  }

  test('tries it alone, written down before and after', async () => {
    const { journal, told } = createJournal()
    const { flow, receive, calls } = createFlow({ journal })
    await receive('a1 b1', { ends: 3 })
    await receive('c1')
    expect([calls.map(({ names }) => names), told, flow.mode]).toEqual([[['a1']], ['begin m1'], 'cautious'])
    await calls[0]?.end()
    expect([calls[1]?.names, told]).toEqual([['b1'], ['begin m1', 'end m1', 'begin m2']])
    await calls[1]?.end()
    expect([calls[2]?.names, flow.mode]).toEqual([['c1'], 'normal'])
  })

  test('finishes first what came before it', async () => {
    const { journal } = createJournal()
    const { receive, calls } = createFlow({ journal })
    await receive('a1', { ends: 1 })
    await receive('b1', { ends: 3 })
    expect(calls.map(({ names }) => names)).toEqual([['a1']])
    await calls[0]?.end()
    expect(calls[1]?.names).toEqual(['b1'])
  })

  test('gives it up unread when three of its tries were not survived', async () => {
    const { journal, told } = createJournal({ m1: 3 })
    const { receive, calls, done, events } = createFlow({ journal })
    await receive('a1', { ends: 6 })
    await receive('a2')
    expect(done()).toEqual(['forward a1 to chat.messages.dlq', 'ack a1'])
    expect(events[0]).toMatchObject({ outcome: 'dead-lettered', code: 'HANDLER_BUG' })
    expect(told).toEqual(['begin m1', 'end m1'])
    expect(calls.map(({ names }) => names)).toEqual([['a2']])
  })

  test('waits for the journal before the try, and after it', async () => {
    const { journal, told } = createJournal()
    const { receive, calls } = createFlow({ journal })
    journal.begin.mockRejectedValueOnce(new Error('no database'))
    await receive('a1', { ends: 3 })
    expect(calls).toEqual([])
    await passMs(1_000)
    expect(calls.map(({ names }) => names)).toEqual([['a1']])
    journal.end.mockRejectedValueOnce(new Error('no database'))
    await receive('b1')
    await calls[0]?.end()
    expect([told, calls.length]).toEqual([['begin m1'], 1])
    await passMs(1_000)
    expect([told, calls[1]?.names]).toEqual([['begin m1', 'end m1'], ['b1']])
  })

  test('strikes out a try that was not begun, since its channel was lost before', async () => {
    const { journal, told } = createJournal()
    const { flow, receive, calls, lose } = createFlow({ journal })
    let answer = (_deaths: number) => {}
    journal.begin.mockImplementationOnce(() => new Promise((resolve) => (answer = resolve)))
    await receive('a1', { ends: 3 })
    await lose()
    answer(0)
    await settle()
    expect([told, calls, flow.inFlight]).toEqual([['end m1'], [], 0])
  })

  test('keeps what it has written down of one that was lost while it was given up', async () => {
    const { journal, told } = createJournal({ m1: 3 })
    const { receive, holdForwards, lose } = createFlow({ journal })
    holdForwards()
    await receive('a1', { ends: 6 })
    await lose()
    expect(told).toEqual(['begin m1'])
  })

  test('lets go of it when its channel is lost before the journal is there', async () => {
    const { journal } = createJournal()
    const { flow, receive, calls, lose } = createFlow({ journal })
    journal.begin.mockRejectedValue(new Error('no database'))
    await receive('a1', { ends: 3 })
    await lose()
    await passMs(10_000)
    expect([flow.inFlight, calls]).toEqual([0, []])
  })

  test('strikes its try out when the consumer ends meanwhile', async () => {
    const { journal, told } = createJournal()
    const { flow, receive, calls } = createFlow({ journal })
    await receive('a1', { ends: 3 })
    const drained = flow.drain()
    await calls[0]?.end()
    await drained
    expect(told).toEqual(['begin m1', 'end m1'])
  })

  test('without a journal takes one at a time from then on', async () => {
    const { flow, receive, calls, done, lose } = createFlow()
    await receive('a1 a2', { ends: 3 })
    expect([done(), flow.prefetch, calls.length]).toEqual([['prefetch 1'], 1, 0])
    await lose()
    await receive('a1', { ends: 4 })
    expect(calls.map(({ names }) => names)).toEqual([['a1']])
  })
})
