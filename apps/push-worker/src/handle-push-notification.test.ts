import type { DeliveryLedger, LedgerMessage, RecipientResult, ServeResult } from '@mono/delivery-ledger'
import { PermanentError } from '@mono/message-queue'
import { createRecordingLogger } from '@mono/test-support'
import { expect, test, vi } from 'vitest'
import { receivedPushNotification } from '../test/support/received-push-notification.js'
import type { Channel, Device } from './device.js'
import type { DeviceQuery } from './device-store.js'
import { createPushNotificationHandler } from './handle-push-notification.js'
import { createMailingTurns, type MailingTurns } from './mailing-turns.js'
import { createOriginNames } from './origin-names.js'
import { createOriginTurns, type OriginTurns } from './sending/origin-turns.js'

const device = (id: string, fields: Partial<Device> = {}): Device => ({
  id,
  channel: 'web',
  address: `https://push.example.com/${id}`,
  addressKind: 'token',
  environment: 'production',
  registeredAt: '2026-11-01T00:00:00.000001+00:00',
  p256dh: 'key',
  auth: 'secret',
  isDisabled: false,
  refusals: 0,
  ...fields,
})

/** A ledger that knows nothing of the message yet, and what was asked of each part. */
function setUp({
  devices,
  originTurns = createOriginTurns(800),
  mailingTurns = createMailingTurns(),
  serve = () => ({ kind: 'sent' }),
}: {
  devices: Device[]
  originTurns?: OriginTurns
  mailingTurns?: MailingTurns
  serve?: (id: string) => ServeResult | Promise<ServeResult>
}) {
  const queries: DeviceQuery[] = []
  const sent: string[] = []
  const messages: LedgerMessage[] = []
  const claimed: string[] = []
  const results = new Map<string, RecipientResult>()
  const ledger: DeliveryLedger = {
    leaseMs: 30_000,
    async claim(message, recipients) {
      messages.push(message)
      claimed.push(...recipients)
      return recipients.map((recipient) => ({ recipient, attempts: 1, ambiguous: false, reuses: 0 }))
    },
    async record(_message, recorded) {
      for (const result of recorded) results.set(result.recipient, result)
      return recorded.length
    },
    renew: async (_message, claims) => claims.map(({ recipient }) => recipient),
    async release() {},
    async read() {
      return new Map(
        [...results].map(([id, { state, code }]) => [
          id,
          { state, leasedByOther: false, ...(code && { lastCode: code }) },
        ]),
      )
    },
  }
  const logger = createRecordingLogger()
  const { signal } = new AbortController()
  const counted: unknown[] = []
  const handler = createPushNotificationHandler({
    originTurns,
    concurrency: 200,
    mailingTurns,
    counts: { settled: (channel, { kind }) => counted.push([channel, kind]) },
    ledger,
    deviceStore: {
      async findDevices(query) {
        queries.push(query)
        return { devices, usersWithout: 0 }
      },
    },
    channels: {
      web: {
        originOf: ({ address }) => new URL(address).origin,
        prepare: () => ({
          async send({ id }) {
            sent.push(id)
            return await serve(id)
          },
        }),
      },
    },
  })
  const handle = (message = receivedPushNotification()) =>
    handler(message, { signal, logger, othersMayWait: () => false })
  const codes = () => [...results.values()].map(({ recipient, state, code }) => [recipient, state, code])
  return { queries, sent, messages, claimed, counted, codes, handle }
}

test('every device is served, and the message is done', async () => {
  const { queries, sent, handle } = setUp({ devices: [device('1'), device('2')] })
  await handle(receivedPushNotification({ recipientIds: ['ada', 'bob'], tenantId: 7 }))
  expect(queries).toEqual([
    { tenantId: 7, messageId: 'message-1', userIds: ['ada', 'bob'], channels: ['web', 'fcm', 'apns'] },
  ])
  expect(sent).toEqual(['1', '2'])
})

test('without any device the message is done', async () => {
  const { messages, handle } = setUp({ devices: [] })
  await handle()
  expect(messages).toEqual([])
})

test.each<[string, Channel[]]>([
  ['push.web', ['web']],
  ['push.mobile', ['fcm', 'apns']],
  ['push.all', ['web', 'fcm', 'apns']],
])('the routing key %s means the channels %j', async (routingKey, channels) => {
  const { queries, handle } = setUp({ devices: [] })
  await handle(receivedPushNotification({}, { routingKey }))
  expect(queries).toMatchObject([{ channels }])
})

test('nothing is sent to devices of channels that are off, nor to those that were disabled meanwhile', async () => {
  const { sent, counted, codes, handle } = setUp({
    devices: [
      device('1', { channel: 'fcm' }),
      device('2', { channel: 'apns' }),
      device('3', { isDisabled: true }),
      device('4'),
    ],
  })
  await handle()
  expect(sent).toEqual(['4'])
  expect(codes()).toEqual([
    ['1', 'failed', 'CHANNEL_OFF'],
    ['2', 'failed', 'CHANNEL_OFF'],
    ['3', 'failed', 'DEVICE_DISABLED'],
    ['4', 'sent', undefined],
  ])
  expect(counted.toSorted()).toEqual([
    ['apns', 'failed'],
    ['fcm', 'failed'],
    ['web', 'failed'],
    ['web', 'sent'],
  ])
})

test('a message whose devices all fail is given up', async () => {
  const { handle } = setUp({ devices: [device('1')], serve: () => ({ kind: 'failed', code: 'GONE' }) })
  await expect(handle()).rejects.toBeInstanceOf(PermanentError)
  await expect(handle()).rejects.toMatchObject({ code: 'ALL_RECIPIENTS_FAILED' })
})

test('a device that waits makes the message wait as long', async () => {
  const { handle } = setUp({
    devices: [device('1'), device('2')],
    serve: (id) => (id === '1' ? { kind: 'sent' } : { kind: 'defer', code: 'ORIGIN_CLOSED', delayMs: 7000 }),
  })
  await expect(handle()).rejects.toMatchObject({ name: 'DeferError', delayMs: 7000 })
})

test('a replay is told to the ledger', async () => {
  const replayedAt = new Date()
  const { messages, handle } = setUp({ devices: [device('1')] })
  await handle(receivedPushNotification({}, { replayedAt }))
  await handle()
  expect(messages.map((message) => message.replayedAt)).toEqual([replayedAt, undefined])
})

test('devices wait for their push services side by side, 200 of them', async () => {
  let admit: (result: ServeResult) => void = () => {}
  const admitted = new Promise<ServeResult>((resolve) => {
    admit = resolve
  })
  const { sent, handle } = setUp({
    devices: Array.from({ length: 250 }, (_, index) => device(`${index + 1}`)),
    serve() {
      if (sent.length === 200) admit({ kind: 'sent' })
      return admitted
    },
  })
  await handle()
  expect(new Set(sent).size).toBe(250)
})

test('devices whose push service has too many in hand are not claimed, and those of another are served', async () => {
  const { signal } = new AbortController()
  const originTurns = createOriginTurns(1)
  const atBusy = Array.from({ length: 11 }, (_, index) => device(`${index + 1}`))
  const { sent, claimed, handle } = setUp({
    originTurns,
    devices: [...atBusy, device('12', { address: 'https://other.example.com/12' })],
  })
  const name = createOriginNames()('web', 'https://push.example.com')
  const leave = await originTurns.enter(name, { tenantId: 42, devices: 11 }, signal)
  const handling = handle()
  await vi.waitFor(() => expect(sent).toEqual(['12']))
  expect(claimed).toEqual(['12'])
  leave()
  await handling
  expect(new Set(sent).size).toBe(12)
})

test('the devices of a message for many users are not read before its turn, and those of a few users are', async () => {
  const { signal } = new AbortController()
  const mailingTurns = createMailingTurns()
  const leave = await mailingTurns.enter({ tenantId: 7, users: 10_000 }, signal)
  const { queries, handle } = setUp({ mailingTurns, devices: [device('1')] })
  const usersOf = (count: number) => Array.from({ length: count }, (_, index) => `user-${index}`)
  const many = handle(receivedPushNotification({ recipientIds: usersOf(101) }))
  await handle(receivedPushNotification({ recipientIds: usersOf(100) }))
  expect(queries.map(({ userIds }) => userIds.length)).toEqual([100])
  leave()
  await many
  expect(queries.map(({ userIds }) => userIds.length)).toEqual([100, 101])
})
