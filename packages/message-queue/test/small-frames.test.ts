import { examples } from '@mono/contracts'
import { createRecordingLogger, type TestVhost, test } from '@mono/test-support'
import { expect } from 'vitest'
import { DeferError, type MessageQueue, PermanentError, RetryableError } from '../src/index.js'
import { openMessageQueue } from './open-message-queue.js'
import { countResults, createTestPublisher, publishAndReport, range } from './support/create-test-publisher.js'

const good = JSON.stringify(examples['audit.event'])
const lossLine = 'The consumer cannot consume; it will keep retrying'
const faultLine = 'A delivery could not be settled'

/** A broker with this `frame_max` agrees so with a client. */
function withFrameMax(url: string, bytes: number): string {
  return `${url}?frameMax=${bytes}`
}

function textOf(bytes: number): string {
  return 'x'.repeat(bytes)
}

/** @returns what the consumer says when something goes wrong with it */
async function consume(
  messageQueue: MessageQueue,
  logger: ReturnType<typeof createRecordingLogger>,
  handle: () => Promise<void> = async () => {},
) {
  await messageQueue.consumeMessages('audit.events', handle)
  return () => logger.lines.map(({ message }) => message).filter((line) => line === lossLine || line === faultLine)
}

async function takeDeadLetter(vhost: TestVhost) {
  const [letter] = await vhost.drainQueue('audit.events.dlq', 1)
  return letter?.headers ?? {}
}

test.for([
  { frameMax: 4_096, what: 'of 3,800 bytes', headers: { foreign: textOf(3_800) } },
  { frameMax: 8_192, what: 'of 7,000 bytes', headers: { foreign: textOf(7_000) }, kept: ['foreign'] },
  { frameMax: 8_192, what: 'that fill a frame', headers: { foreign: textOf(8_130) } },
  { frameMax: 8_192, what: 'that fill a frame together', headers: { a: textOf(5_000), b: textOf(3_100) }, kept: ['b'] },
  { frameMax: 8_192, what: 'of four frames', headers: { foreign: textOf(30_000), small: 'x' }, kept: ['small'] },
  { frameMax: 131_072, what: 'of 130,000 bytes', headers: { foreign: textOf(130_000), small: 'x' }, kept: ['small'] },
  { frameMax: 131_072, what: 'of three frames', headers: { foreign: textOf(400_000), small: 'x' }, kept: ['small'] },
])(
  'a bad body with headers $what is dead-lettered with its reason at frames of $frameMax bytes',
  async (row, { vhost, cleanUp }) => {
    const { frameMax, headers, kept = [] } = row
    const logger = createRecordingLogger()
    const messageQueue = openMessageQueue({ vhost, cleanUp }, { url: withFrameMax(vhost.url, frameMax), logger })
    const troubles = await consume(messageQueue, logger)
    await vhost.publishUnchecked('audit', 'audit.track', '{"bad', headers)
    const letter = await takeDeadLetter(vhost)
    const names = Object.keys(headers)
    const leftOut = names.filter((name) => !kept.includes(name))
    expect(letter).toMatchObject({
      'x-failure-code': expect.stringMatching(/^INVALID_(JSON|HEADERS)$/),
      'x-failure-message': expect.stringMatching(/./),
      'x-original-exchange': 'audit',
      'x-original-routing-key': 'audit.track',
    })
    expect(names.filter((name) => name in letter)).toEqual(kept)
    expect(letter['x-headers-left-out']).toEqual(
      leftOut.length ? `${leftOut.length}: ${leftOut.join(', ')}` : undefined,
    )
    expect(troubles()).toEqual([])
  },
)

test.for([
  {
    kind: 'retried',
    error: new RetryableError(textOf(1_000), { code: 'PROVIDER_UNAVAILABLE' }),
    code: 'PROVIDER_UNAVAILABLE',
    bytes: 7_000,
    isKept: true,
  },
  {
    kind: 'deferred',
    error: new DeferError(textOf(1_000), { code: 'DATABASE_UNAVAILABLE' }),
    code: 'DATABASE_UNAVAILABLE',
    bytes: 7_900,
    isKept: false,
  },
])(
  'a message with $bytes bytes of headers is $kind at small frames, and keeps the code of its failure',
  async (row, { vhost, cleanUp }) => {
    const logger = createRecordingLogger()
    const messageQueue = openMessageQueue({ vhost, cleanUp }, { url: withFrameMax(vhost.url, 8_192), logger })
    await vhost.shortenRetries('audit.events')
    let calls = 0
    const troubles = await consume(messageQueue, logger, async () => {
      calls += 1
      throw calls === 1 ? row.error : new PermanentError('it is of no use', { code: 'PROVIDER_REJECTED' })
    })
    await vhost.publishUnchecked('audit', 'audit.track', good, { foreign: textOf(row.bytes), small: 'x' })
    const letter = await takeDeadLetter(vhost)
    expect(calls).toBe(2)
    expect(letter).toMatchObject({
      'x-failure-code': 'PROVIDER_REJECTED',
      'x-first-failure-code': row.code,
      'x-first-failure-message': expect.stringMatching(/^x{128,1000}$/),
      small: 'x',
    })
    expect('foreign' in letter).toBe(row.isKept)
    expect(troubles()).toEqual([])
  },
)

test('a message that does not fit into a frame is invalid, and those beside it are sent', async ({
  vhost,
  cleanUp,
}) => {
  await vhost.importDefinitions()
  const logger = createRecordingLogger()
  const publisher = createTestPublisher(cleanUp, { urls: [withFrameMax(vhost.url, 8_192)], logger })
  const outcomes = await Promise.all(
    range(1, 10).map((id) => {
      const properties = { messageId: id, type: 'audit.event', headers: { big: textOf(id === '5' ? 8_300 : 7_900) } }
      return publishAndReport(publisher, id, { exchange: 'audit', routingKey: 'audit.track', properties })
    }),
  )
  expect(countResults(outcomes)).toEqual({ resolved: 9, INVALID_MESSAGE: 1 })
  expect(outcomes[4]?.error?.message).toMatch(/one frame of 8192 bytes/)
  expect(logger.lines.filter(({ level }) => level === 'warn')).toEqual([])
})
