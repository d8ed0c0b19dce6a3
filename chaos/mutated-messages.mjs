// @ts-check
import fc from 'fast-check'
import { toMessageId, workerOf } from '../scripts/workers.mjs'

/**
 * A message of which something is not as it should be, or, seldom, still is.
 * @typedef {{ body: Buffer, properties: import('amqplib').Options.Publish }} MutatedMessage
 */

/** amqplib takes a table that has the name `!` for a value whose type that names, and sends none that it does not know. */
const nameOf = (/** @type {number} */ maxLength) =>
  fc.string({ minLength: 1, maxLength }).filter((name) => name !== '!')

const anyHeaderValue = fc.oneof(
  fc.string({ maxLength: 200 }),
  fc.integer(),
  // amqplib sends what is integral as 64 bits, and refuses to send more
  fc.double({ noNaN: true, min: -1e15, max: 1e15 }),
  fc.boolean(),
  fc.array(fc.string(), { maxLength: 3 }),
  fc.dictionary(nameOf(20), fc.string(), { maxKeys: 3 }),
)

const knownHeaders = [
  'x-attempts',
  'x-death',
  'x-delivery-count',
  'x-failure-code',
  'x-published-at',
  'x-replay',
  'x-schema-version',
  'x-tenant-id',
  'rascal',
  'traceparent',
  'tracestate',
]

const headers = fc.oneof(
  fc.constant({}),
  fc.dictionary(fc.oneof(fc.constantFrom(...knownHeaders), nameOf(30)), anyHeaderValue, { maxKeys: 2 }),
)

/** One of them, or none: a message that is wrong in every respect tests only what is looked at first. */
const properties = fc.oneof(
  fc.constant({}),
  ...Object.entries({
    type: fc.oneof(
      fc.constantFrom('chat.message', 'push.notification', 'email.message', 'audit.event'),
      fc.string({ maxLength: 60 }),
    ),
    contentType: fc.oneof(fc.constant('application/json'), fc.string({ maxLength: 60 })),
    contentEncoding: fc.constantFrom('gzip', 'utf-8', ''),
    messageId: fc.oneof(fc.string({ maxLength: 60 }), fc.constant('x'.repeat(200))),
    correlationId: fc.string({ maxLength: 60 }),
    timestamp: fc.oneof(fc.nat(), fc.constant(2 ** 52)),
    expiration: fc.constantFrom('0', '1000', '60000'),
    priority: fc.integer({ min: 0, max: 255 }),
    appId: fc.string({ maxLength: 60 }),
  }).map(([key, values]) => fc.record({ [key]: /** @type {fc.Arbitrary<unknown>} */ (values) })),
)

/**
 * A payload with one field left out, replaced or added.
 * @param {Record<string, unknown>} payload
 */
const damagedPayload = (payload) =>
  fc.oneof(
    fc.constantFrom(...Object.keys(payload)).map((key) => ({ ...payload, [key]: undefined })),
    fc
      .tuple(fc.constantFrom(...Object.keys(payload)), fc.jsonValue())
      .map(([key, value]) => ({ ...payload, [key]: value })),
    fc.tuple(fc.string(), fc.jsonValue()).map(([key, value]) => ({ ...payload, [key]: value })),
    fc.jsonValue(),
  )

/** @param {Buffer} bytes */
const damagedBytes = (bytes) =>
  fc.oneof(
    fc.nat({ max: bytes.length }).map((length) => bytes.subarray(0, length)),
    fc.tuple(fc.nat({ max: bytes.length - 1 }), fc.nat({ max: 255 })).map(([at, value]) => {
      const copy = Buffer.from(bytes)
      copy[at] = value
      return copy
    }),
    fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array)),
  )

/**
 * RabbitMQ 3.10.8 cannot dead-letter what it finds expired if `x-death` is an array of anything but tables: the process
 * that does it for the queue crashes, again and again, and what expires behind such a message waits for ever.
 * @param {object} properties
 * @param {Record<string, unknown>} headers
 */
const spareBroker = (properties, headers) =>
  Array.isArray(headers['x-death']) ? { ...properties, expiration: undefined } : properties

/**
 * Always the same ones for a seed. One after the other, since they take a while to make: meanwhile others want to be
 * served, the far ends among them.
 * @param {import('../scripts/workers.mjs').QueueName} queue
 * @param {{ count: number, seed: number, firstIndex: number }} options
 * @returns {Generator<MutatedMessage>}
 */
export function* createMutatedMessages(queue, { count, seed, firstIndex }) {
  const { createPayload } = workerOf(queue)
  for (let index = firstIndex; index < firstIndex + count; index += 1) {
    const id = toMessageId(queue, index)
    const payload = JSON.parse(JSON.stringify(createPayload(index, id)))
    const body = fc.oneof(
      damagedPayload(payload).map((value) => Buffer.from(JSON.stringify(value) ?? '')),
      damagedBytes(Buffer.from(JSON.stringify(payload))),
      fc.constant(Buffer.from(JSON.stringify(payload))),
    )
    const [made] = fc.sample(fc.record({ body, properties, headers }), { numRuns: 1, seed: seed + index })
    if (!made) throw new Error('Expected one mutated message, found none')
    const { messageId = id, ...others } = /** @type {import('amqplib').Options.Publish} */ (made.properties)
    yield {
      body: made.body,
      properties: {
        ...spareBroker(others, made.headers),
        // Effects are counted by their id, so no two may have the same: fast-check likes some texts more than others.
        messageId: /^.{1,60}$/s.test(messageId) && messageId !== id ? `${messageId}${index}` : messageId,
        headers: made.headers,
      },
    }
  }
}
