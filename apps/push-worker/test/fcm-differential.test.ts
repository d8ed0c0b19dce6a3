import { globalAgent } from 'node:https'
import { connect } from 'node:tls'
import type { PushNotification } from '@mono/contracts'
import type { FcmDevice, FcmService } from '@mono/test-support/sinks'
import { cert, deleteApp, initializeApp } from 'firebase-admin/app'
import { getMessaging, type TokenMessage } from 'firebase-admin/messaging'
import { describe, expect, vi } from 'vitest'
import { type PushSetup, test } from './support/push-setup.js'

/** The values that reached the wire in body, headers and assertion, each by its path. */
type Wire = Record<string, unknown>

/** The two differ here, and for these reasons. Both values are as they are on the wire; undefined: not there. */
const differences: { at: string; ours: unknown; theirs: unknown; why: string }[] = [
  {
    at: 'body.message.android.priority',
    ours: expect.stringMatching(/^(NORMAL|HIGH)$/),
    theirs: expect.stringMatching(/^(normal|high)$/),
    why: 'the reference names the values of the enum in capitals',
  },
  {
    at: 'headers.content-type',
    ours: 'application/json',
    theirs: 'application/json;charset=utf-8',
    why: 'JSON is always UTF-8 and has no charset (RFC 8259, section 11)',
  },
  {
    at: 'headers.x-firebase-client',
    ours: undefined,
    theirs: 'fire-admin-node/13.10.0',
    why: 'it counts for Google how its SDKs are used',
  },
  {
    at: 'headers.x-goog-api-client',
    ours: undefined,
    theirs: expect.stringContaining('fire-admin/13.10.0'),
    why: 'the same',
  },
  {
    at: 'headers.access_token_auth',
    ours: undefined,
    theirs: 'true',
    why: 'no reference names it, and `authorization` says it all',
  },
  {
    at: 'assertion.header.kid',
    ours: 'test-key',
    theirs: undefined,
    why: 'it names the key that has signed, so that Google need not try every key of the account',
  },
  {
    at: 'assertion.header.typ',
    ours: 'JWT',
    theirs: undefined,
    why: 'RFC 7519 (section 5.1) leaves it to the application, and Google’s examples have it',
  },
  {
    at: 'assertion.claims.aud',
    ours: expect.stringMatching(/^https:\/\/localhost:\d+\/token$/),
    theirs: 'https://oauth2.googleapis.com/token',
    why: 'theirs is in the code, ours is `token_uri` of the key file, which is the same there',
  },
  {
    at: 'assertion.claims.scope',
    ours: 'https://www.googleapis.com/auth/firebase.messaging',
    theirs: expect.stringContaining('https://www.googleapis.com/auth/firebase.messaging'),
    why: 'theirs is for everything in Firebase, ours for messages only',
  },
]

interface Case {
  name: string
  notification: Partial<PushNotification>
  /** The same in their words, without the address. `tag` is the id of the message. */
  toTheirs(tag: string): Omit<TokenMessage, 'token'>
}

const cases: Case[] = [
  {
    name: 'plain',
    notification: { title: 'Grüße', body: '🔔 "Ada"', data: {} },
    toTheirs: (tag) => ({
      notification: { title: 'Grüße', body: '🔔 "Ada"' },
      android: { priority: 'normal', ttl: 86_400_000, notification: { tag } },
    }),
  },
  {
    name: 'with all there is',
    notification: {
      title: 'Hello',
      body: 'Ada',
      data: {
        ttl: 90,
        urgency: 'high',
        topic: 'news',
        unread: 3,
        nested: { a: [true, null] },
        push: { badge: 3, sound: 'ping', image: 'https://example.com/a.png', androidChannel: 'chat' },
      },
    },
    toTheirs: () => ({
      notification: { title: 'Hello', body: 'Ada', imageUrl: 'https://example.com/a.png' },
      data: { ttl: '90', urgency: 'high', topic: 'news', unread: '3', nested: '{"a":[true,null]}' },
      android: {
        priority: 'high',
        ttl: 90_000,
        collapseKey: 'news',
        notification: { tag: 'news', channelId: 'chat', sound: 'ping', notificationCount: 3 },
      },
    }),
  },
  {
    name: 'silent',
    notification: { title: '', body: '', data: { ttl: 0, sync: 'chat', push: { silent: true } } },
    toTheirs: () => ({ data: { ttl: '0', sync: 'chat' }, android: { priority: 'normal', ttl: 0 } }),
  },
]

describe('what reaches FCM', () => {
  test('differs from what firebase-admin sends where it is meant to, and nowhere else', async ({ push }) => {
    const fcm = await createGoogle(push)
    const device = fcm.register()
    const ours = await sendOurs(push, fcm, device)
    const theirs = await sendTheirs(fcm, device)
    const seen = new Set<string>()
    for (const [index, { name }] of cases.entries()) {
      const found = findDifferences(ours[index] ?? {}, theirs[index] ?? {})
      for (const { at } of found) seen.add(at)
      const expected = differences.filter(({ at }) => found.some((each) => each.at === at))
      expect([name, sorted(found)]).toEqual([name, sorted(expected.map(({ why: _why, ...values }) => values))])
    }
    // No line of the table is out of date.
    expect([...seen].sort()).toEqual(differences.map(({ at }) => at).sort())
  })

  // firebase-admin 13 knows no installation ids. That `fid` stands where `token` does is the reference's word:
  // https://firebase.google.com/docs/reference/fcm/rest/v1/projects.messages, `Message`, and `FidMessage` of
  // firebase-admin 14 (src/messaging/messaging-api.ts).
  test('for an installation id differs in the name of its address', async ({ push }) => {
    const fcm = await createGoogle(push)
    const [token, fid] = [fcm.register(), fcm.register({ addressKind: 'fid' })]
    const byToken = await sendOurs(push, fcm, token)
    const byFid = await sendOurs(push, fcm, fid)
    for (const [index, wire] of byToken.entries()) {
      expect(findDifferences(wire, byFid[index] ?? {})).toEqual([
        { at: 'body.message.fid', ours: undefined, theirs: fid.address },
        { at: 'body.message.token', ours: token.address, theirs: undefined },
      ])
    }
  })
})

const googleHosts = ['oauth2.googleapis.com', 'fcm.googleapis.com']

function createGoogle(push: PushSetup): Promise<FcmService> {
  return push.createFcm({ hosts: googleHosts, audiences: ['https://oauth2.googleapis.com/token'] })
}

async function sendOurs(push: PushSetup, fcm: FcmService, device: FcmDevice): Promise<Wire[]> {
  const before = fcm.received.length
  const userId = device.addressKind
  const tenantId = device.addressKind === 'fid' ? 43 : 42
  const id = await push.register(device, { userId, tenantId })
  const worker = await push.startWorker()
  for (const { name, notification } of cases) {
    // With another tenant it is another message, however equal its id.
    await push.send(name, [userId], { ...notification, tenantId })
    await push.untilDelivery(name, id, { state: 'sent' })
  }
  await worker.terminate()
  return toWires(fcm, before)
}

async function sendTheirs(fcm: FcmService, { address: token }: FcmDevice): Promise<Wire[]> {
  const before = fcm.received.length
  const app = initializeApp({ credential: cert({ ...fcm.tokenEndpoint.serviceAccount } as object) }, 'differential')
  const stopLeading = leadConnectionsTo(fcm)
  const tag = tagOf(fcm.received[0]?.message)
  try {
    for (const { toTheirs } of cases) await getMessaging(app).send({ token, ...toTheirs(tag) })
  } finally {
    stopLeading()
    await deleteApp(app)
  }
  return toWires(fcm, before)
}

/**
 * Its hosts are in its code, and its request for an access token takes no agent from its options: so every connection of
 * Node's own agent is led to the far end, with the name of the real host.
 */
function leadConnectionsTo({ port, ca }: FcmService): () => void {
  const spy = vi.spyOn(globalAgent, 'createConnection').mockImplementation(({ host: servername }) => {
    return connect({ host: '127.0.0.1', port, ca, ...(servername ? { servername } : {}) })
  })
  return () => {
    spy.mockRestore()
    globalAgent.destroy()
  }
}

/** The id of our message, in place of which they have a tag that the sender has to think of. */
function tagOf(message: Record<string, unknown> = {}): string {
  const { android } = message as { android?: { notification?: { tag?: string } } }
  return android?.notification?.tag ?? ''
}

/** The messages from the one with this number on, each with the assertion that got its access token. */
function toWires(fcm: FcmService, from: number): Wire[] {
  const form = new URLSearchParams(fcm.tokenEndpoint.attempts.at(-1)?.body)
  const [header, claims] = (form.get('assertion') ?? '').split('.').map(decode)
  const assertion = { header, claims: relative(claims ?? {}) }
  return fcm.received
    .slice(from)
    .map(({ json, headers }) => flatten({ body: json, headers: comparable(headers), assertion }))
}

function decode(part: string): Record<string, unknown> {
  try {
    return JSON.parse(Buffer.from(part, 'base64url').toString())
  } catch {
    // The signature is no JSON.
    return {}
  }
}

/** Leaves out the headers that the version of HTTP and the connection bring with them, and the secret. */
function comparable(headers: object): Record<string, unknown> {
  const hop = /^(:.*|host|connection|content-length|transfer-encoding|accept|accept-encoding|user-agent)$/
  const entries = Object.entries(headers).filter(([name]) => !hop.test(name))
  return Object.fromEntries(entries.map(([name, value]) => [name, String(value).replace(/ya29\.\S+/, '<token>')]))
}

/** Times are compared by how long the assertion lasts. */
function relative({ iat, exp, ...claims }: Record<string, unknown>): Record<string, unknown> {
  return { ...claims, lasts: Number(exp) - Number(iat) }
}

function flatten(value: unknown, at = ''): Wire {
  if (typeof value !== 'object' || value === null) return { [at]: value }
  const entries = Object.entries(value).map(([key, each]) => flatten(each, at === '' ? key : `${at}.${key}`))
  return Object.assign({}, ...entries)
}

function findDifferences(ours: Wire, theirs: Wire): { at: string; ours: unknown; theirs: unknown }[] {
  const paths = [...new Set([...Object.keys(ours), ...Object.keys(theirs)])]
  const found = paths.map((at) => ({ at, ours: ours[at], theirs: theirs[at] }))
  return sorted(found.filter((each) => each.ours !== each.theirs))
}

function sorted<T extends { at: string }>(list: readonly T[]): T[] {
  return [...list].sort((a, b) => (a.at < b.at ? -1 : 1))
}
