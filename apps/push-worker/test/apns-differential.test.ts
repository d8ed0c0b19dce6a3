import { isDeepStrictEqual } from 'node:util'
import { type PushNotification, toPushOptions } from '@mono/contracts'
import { createHttpOriginClient } from '@mono/http-client'
import { createRecordingLogger, type TestFixtures, test } from '@mono/test-support'
import type { ApnsNotification } from '@mono/test-support/sinks'
import apn from '@parse/node-apn'
import { expect } from 'vitest'
import { createApnsChannel } from '../src/apns/apns-channel.js'
import { createProviderTokens } from '../src/apns/provider-tokens.js'
import { createSettingsWatch } from '../src/apns/settings-watch.js'
import { createDeadGuard } from '../src/sending/dead-guard.js'
import { createDeviceSender } from '../src/sending/device-sender.js'
import { createDeviceWaits } from '../src/sending/device-waits.js'
import { OriginGate } from '../src/sending/origin-gate.js'
import { type ApnsFarEnd, createApnsFarEnd } from './support/apns-far-end.js'

const topic = 'com.example.app'
const publishedAt = new Date()
const expiresAfter = (seconds: number) => Math.floor(publishedAt.getTime() / 1000) + seconds

interface Case {
  /** The notification as it is published. */
  sent: Pick<PushNotification, 'title' | 'body' | 'data'>
  /** The same in the words of node-apn. */
  note: Record<string, unknown>
}

const day = 24 * 60 * 60
const image = 'https://example.com/a.png'

const cases: Record<string, Case> = {
  plain: {
    sent: { title: 'Hello', body: 'Grüße 🔔' },
    note: { title: 'Hello', body: 'Grüße 🔔', pushType: 'alert', priority: 10, expiry: expiresAfter(day) },
  },
  'with everything': {
    sent: {
      title: 'Hello',
      body: 'Ada',
      data: {
        id: 7,
        nested: { a: [null, true] },
        ttl: 60,
        urgency: 'low',
        push: { badge: 3, sound: 'ping.caf', threadId: 'lunch', image },
      },
    },
    note: {
      title: 'Hello',
      body: 'Ada',
      badge: 3,
      sound: 'ping.caf',
      threadId: 'lunch',
      mutableContent: true,
      payload: { id: 7, nested: { a: [null, true] }, ttl: 60, urgency: 'low', push: { image } },
      pushType: 'alert',
      priority: 5,
      expiry: expiresAfter(60),
    },
  },
  'for once': {
    sent: { title: '', body: '', data: { ttl: 0, urgency: 'high' } },
    note: {
      title: '',
      body: '',
      payload: { ttl: 0, urgency: 'high' },
      pushType: 'alert',
      priority: 10,
      expiry: 0,
    },
  },
  silent: {
    sent: { title: 'not shown', body: 'not shown', data: { id: 7, push: { silent: true } } },
    note: {
      contentAvailable: true,
      payload: { id: 7 },
      pushType: 'background',
      priority: 5,
      expiry: expiresAfter(day),
    },
  },
}

/** The two differ on the wire in these fields, for these reasons. Everything else is the same. */
const differences: Record<string, string> = {
  'header :authority': 'node-apn leaves out the port, which no server of Apple’s cares about: theirs is the default',
  'token header typ': 'node-apn’s library writes typ: JWT; Apple asks for alg and kid only',
}

async function sendOurs(cleanUp: TestFixtures['cleanUp'], farEnd: ApnsFarEnd, token: string, { sent }: Case) {
  const { key, production } = farEnd
  const logger = createRecordingLogger()
  const client = createHttpOriginClient({ ca: production.ca })
  cleanUp(() => client.close())
  const nothing = async () => {}
  const deviceStore = { disableDevice: async () => false, clearRefusals: nothing, countRefusal: async () => false }
  const origin = `https://localhost:${production.port}`
  const channel = createApnsChannel({
    origins: { production: origin, sandbox: origin },
    topic,
    client,
    sender: createDeviceSender({
      channel: 'apns',
      guard: createDeadGuard({ channel: 'apns', logger }),
      counts: { disabled: () => {} },
      gate: new OriginGate({ concurrency: 1, logger }),
      waits: createDeviceWaits(),
      deviceStore,
    }),
    tokens: createProviderTokens({ key: key.privateKey, keyId: key.keyId, teamId: key.teamId }),
    settings: createSettingsWatch({ logger }),
  })
  const prepared = channel.prepare({
    notification: sent,
    tenantId: 42,
    messageId: 'message-1',
    publishedAt,
    options: toPushOptions(sent.data),
  })
  const device = {
    id: '7',
    channel: 'apns',
    address: token,
    addressKind: 'token',
    environment: 'production',
    registeredAt: publishedAt.toISOString(),
    p256dh: null,
    auth: null,
    isDisabled: false,
    refusals: 0,
  } as const
  const { signal } = new AbortController()
  expect(await prepared.send(device, { tenantId: 42, signal, logger })).toMatchObject({ kind: 'sent' })
}

/** The id and the collapse id are those that ours has: they are names, and node-apn has none of its own. */
async function sendTheirs(
  cleanUp: TestFixtures['cleanUp'],
  { key, production }: ApnsFarEnd,
  { token, apnsId, collapseId }: ApnsNotification,
  { note }: Case,
) {
  const provider = new apn.Provider({
    token: { key: Buffer.from(key.privateKey), keyId: key.keyId, teamId: key.teamId },
    address: 'localhost',
    port: production.port,
    ca: [Buffer.from(production.ca)],
    connectionRetryLimit: 0,
  })
  cleanUp(() => provider.shutdown())
  const notification = new apn.Notification()
  Object.assign(notification, { topic, id: apnsId, collapseId, ...note })
  expect(await provider.send(notification, token)).toMatchObject({ failed: [], sent: [{ device: token }] })
}

/** Everything went over the wire under one of these names. The signature and the second of signing are never the same. */
function toFields({ headers, payload, providerToken }: ApnsNotification): Map<string, unknown> {
  const { authorization: _signed, ...others } = headers
  const { iat, ...claims } = providerToken.claims
  const prefixed = (prefix: string, fields: object) =>
    Object.entries(fields).map(([name, value]): [string, unknown] => [`${prefix} ${name}`, value])
  return new Map([
    ...prefixed('header', others),
    ...prefixed('payload', payload),
    ...prefixed('token header', providerToken.header),
    ...prefixed('token claim', { ...claims, iat: Number.isInteger(iat) }),
  ])
}

test.for(Object.entries(cases))('what node-apn sends: %s', async ([, each], { cleanUp }) => {
  const farEnd = await createApnsFarEnd(cleanUp)
  const { production } = farEnd
  await sendOurs(cleanUp, farEnd, production.register(), each)
  await sendTheirs(cleanUp, farEnd, production.received[0] as ApnsNotification, each)
  const [ours, theirs] = production.received.map(toFields)
  const names = [...new Set([...(ours?.keys() ?? []), ...(theirs?.keys() ?? [])])]
  expect(names.length).toBeGreaterThan(10)
  const found = names
    .map((field) => ({ field, ours: ours?.get(field), theirs: theirs?.get(field) }))
    .filter((values) => !isDeepStrictEqual(values.ours, values.theirs))
  expect(found.map(({ field }) => field).sort(), JSON.stringify(found)).toEqual(Object.keys(differences).sort())
})
