import { createHmac, createPublicKey, generateKeyPairSync, sign } from 'node:crypto'
import { printNumbers, type TestFixtures, type TestVhost, waitFor } from '@mono/test-support'
import { connect } from 'amqplib'
import { describe, expect } from 'vitest'
import { createRealtimeToken, type RealtimeTokenOptions } from '../src/index.js'
import { realtime, test } from './support/broker-test.js'
import { type ListedQueue, listQueues, managementAnswer } from './support/management.js'
import { openRawBrowser, type RawBrowser, type RawBrowserOptions } from './support/raw-browser.js'

// A browser with a token of its own, or with none, tries what it must not do: it hears nothing else, and leaves nothing.

const { url = '', key = '' } = realtime ?? {}

const own = 'chat/42/own'
const foreign = 'chat/42/foreign'

type Options = Partial<Omit<RawBrowserOptions, 'url' | 'vhost'>> & Partial<RealtimeTokenOptions>

/** A vhost with the topology, and who opens browsers in it: by default one of user-1 of tenant 42, who may hear `own`. */
async function setUp(vhost: TestVhost, { cleanUp }: Pick<TestFixtures, 'cleanUp'>) {
  await vhost.importDefinitions()
  const makeToken = (options: Partial<RealtimeTokenOptions> = {}) =>
    createRealtimeToken({
      ...{ userId: 'user-1', tenantId: 42, conversations: ['own'], key, vhost: vhost.name },
      ...options,
    })
  const open = ({ token, subject = '42.user-1', clientId, options, ...claims }: Options = {}) =>
    openRawBrowser(
      {
        url,
        vhost,
        subject,
        token: token ?? makeToken(claims),
        ...(clientId && { clientId }),
        ...(options && { options }),
      },
      { cleanUp },
    )
  async function broadcast(topic: string): Promise<void> {
    const published = vhost.publish('realtime', topic.replaceAll('/', '.'), {}, { mandatory: false })
    await published.catch((error: Error) => {
      // The queue of a browser that has just gone refuses it; all others have it.
      if (error.message !== 'message nacked') throw error
    })
  }
  return { makeToken, open, broadcast }
}

/** Until a message that it may hear has come, everything before it has come too. */
async function hearOwn(browser: RawBrowser, broadcast: (topic: string) => Promise<void>): Promise<string[]> {
  await broadcast(own)
  await waitFor(() => browser.heard.includes(own), { what: 'the broadcast of its own conversation' })
  return browser.heard.filter((topic) => topic !== own)
}

test('a browser hears its conversation, and nothing of another', async ({ vhost, cleanUp }) => {
  const { open, broadcast } = await setUp(vhost, { cleanUp })
  const browser = await open()
  expect(await browser.subscribe(own)).toBe('granted')
  for (const topic of [foreign, 'chat/43/own', 'chat/4/own']) await broadcast(topic)
  expect(await hearOwn(browser, broadcast)).toEqual([])
})

describe('without a token that is good', () => {
  const publicPem = key && createPublicKey(key).export({ type: 'spki', format: 'pem' }).toString()
  const { privateKey: otherKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const forge = (token: string, { header = {}, claims = {} }: { header?: object; claims?: object }) => {
    const [head = '', body = ''] = token.split('.')
    const encode = (part: string, changes: object) =>
      Buffer.from(JSON.stringify({ ...JSON.parse(Buffer.from(part, 'base64url').toString()), ...changes })).toString(
        'base64url',
      )
    return `${encode(head, header)}.${encode(body, claims)}`
  }
  const signed = (content: string) => `${content}.${sign('sha256', Buffer.from(content), key).toString('base64url')}`
  const byHmac = (content: string, secret: string) =>
    `${content}.${createHmac('sha256', secret).update(content).digest('base64url')}`
  type MakeToken = (options: Partial<RealtimeTokenOptions>) => string
  const tokens: [string, (good: string, makeToken: MakeToken) => string][] = [
    ['none at all', () => ''],
    ['no JSON Web Token', () => 'admin123'],
    ['one that has ended', (good) => signed(forge(good, { claims: { exp: Math.floor(Date.now() / 1000) - 1 } }))],
    ['one of another key', (_, makeToken) => makeToken({ key: otherKey })],
    ['one of another key id', (good) => signed(forge(good, { header: { kid: 'other' } }))],
    ['one for another audience', (good) => signed(forge(good, { claims: { aud: 'other' } }))],
    ['alg: none', (good) => `${forge(good, { header: { alg: 'none' } })}.`],
    [
      'alg: none, with its old signature',
      (good) => `${forge(good, { header: { alg: 'none' } })}.${good.split('.')[2]}`,
    ],
    ['HS256 with the public key as secret', (good) => byHmac(forge(good, { header: { alg: 'HS256' } }), publicPem)],
    [
      'the same without its last line break',
      (good) => byHmac(forge(good, { header: { alg: 'HS256' } }), publicPem.trim()),
    ],
    [
      'one whose scope was changed',
      (good) => `${forge(good, { claims: { scope: 'mono.read:*/*/*' } })}.${good.split('.')[2]}`,
    ],
  ]
  test('nobody gets in', async ({ vhost, cleanUp }) => {
    const { makeToken, open } = await setUp(vhost, { cleanUp })
    // At a time: RabbitMQ 4 answers late, so that nobody tries many.
    const answers = await Promise.all(
      tokens.map(async ([what, make]) => [what, (await open({ token: make(makeToken(), makeToken) })).answer] as const),
    )
    printNumbers('logins of browsers', Object.fromEntries(answers))
    for (const [what, answer] of answers) expect(answer, what).toMatch(/^refused/)
    expect((await open({ token: signed(forge(makeToken(), {})) })).answer).toBe('connected')
  })
})

describe('with a token of its own', () => {
  const topics = ['chat/43/own', foreign, 'chat/42/+', 'chat/42/#', 'chat/+/own', '#', '+/42/own', 'chat/42/own/#']
  test('the connection of a browser that asks for more is closed', async ({ vhost, cleanUp }) => {
    const { open } = await setUp(vhost, { cleanUp })
    const answers = await Promise.all(
      topics.map(async (topic) => [topic, await (await open()).subscribe(topic)] as const),
    )
    printNumbers('subscriptions of browsers', Object.fromEntries(answers))
    for (const [topic, answer] of answers) expect(answer, topic).toBe('closed the connection')
  })

  test('a wildcard comes of the words `whole-tenant` only, and stays within the tenant', async ({ vhost, cleanUp }) => {
    const { broadcast, open } = await setUp(vhost, { cleanUp })
    expect(await (await open({ conversations: ['*', '#', '+', 'chat.42.*'] })).subscribe(own)).toBe(
      'closed the connection',
    )
    const whole = await open({ conversations: 'whole-tenant' })
    expect(await whole.subscribe('chat/42/#')).toBe('granted')
    for (const topic of ['chat/421/own', 'chat/4/own', 'chat/43/own']) await broadcast(topic)
    expect(await hearOwn(whole, broadcast)).toEqual([])
    for (const topic of ['chat/421/#', 'chat/4/#', 'chat/#']) {
      expect(await (await open({ conversations: 'whole-tenant' })).subscribe(topic), topic).toBe(
        'closed the connection',
      )
    }
  })

  test('a browser can write nothing: no message, no retained one, no last will', async ({ vhost, cleanUp }) => {
    const { broadcast, open } = await setUp(vhost, { cleanUp })
    const listener = await vhost.listen('realtime', '#')
    const answers: Record<string, string> = {}
    for (const topic of [own, foreign]) {
      answers[`publish ${topic}`] = await (await open()).publish(topic, { qos: 1 })
      answers[`publish ${topic} unconfirmed`] = await (await open()).publish(topic, { qos: 0 })
      answers[`retain ${topic}`] = await (await open()).publish(topic, { qos: 1, retain: true })
      const will = { topic, payload: Buffer.from('from a browser'), qos: 1 as const, retain: true }
      await (await open({ options: { will } })).end({ abruptly: true })
    }
    printNumbers('what browsers write', answers)
    expect(new Set(Object.values(answers))).toEqual(new Set(['closed the connection']))
    const later = await open({ conversations: ['own', 'foreign'] })
    expect(await later.subscribe(own)).toBe('granted')
    expect(await later.subscribe(foreign)).toBe('granted')
    await hearOwn(later, broadcast)
    expect(later.heard).toEqual([own])
    await waitFor(() => listener.messages.length > 0, { what: 'the broadcast' })
    expect(listener.messages.map(({ body }) => body.toString())).toEqual(['{}'])
  })

  const others: [string, Partial<RealtimeTokenOptions>][] = [
    ['another user', { userId: 'user-2' }],
    ['the same user id of another tenant', { tenantId: 43 }],
    ['a user whose id begins the same', { userId: 'user-1.evil' }],
    ['a user whose id ends the same', { userId: '42.user-1' }],
    ['a user whose id is a wildcard', { userId: '*' }],
  ]
  test('nobody gets what the session of another user has', async ({ vhost, cleanUp }) => {
    const { broadcast, makeToken, open } = await setUp(vhost, { cleanUp })
    const answers: Record<string, string> = {}
    for (const [what, attacker] of others) {
      for (const clean of [true, false]) {
        const clientId = `42.user-1.known-${Object.keys(answers).length}`
        const victim = await open({ clientId, options: { clean } })
        expect(await victim.subscribe(own, 1)).toBe('granted')
        if (!clean) await victim.end({ abruptly: true })
        const thief = await open({
          clientId,
          token: makeToken({ conversations: ['other'], ...attacker }),
          options: { clean },
        })
        await broadcast(own)
        answers[`${what}, ${clean ? 'without' : 'with'} a session that lasts`] = thief.answer.startsWith('refused')
          ? thief.answer
          : await thief.subscribe(`chat/${attacker.tenantId ?? 42}/other`)
        expect(thief.heard, what).toEqual([])
      }
    }
    printNumbers('sessions of other users', answers)
    for (const [what, answer] of Object.entries(answers)) expect(answer, what).toMatch(/^(refused|closed)/)
  })

  test('nothing is left of a browser, also of one that wants its session to last', async ({ vhost, cleanUp }) => {
    const { open } = await setUp(vhost, { cleanUp })
    for (const clean of [true, false]) {
      for (const qos of [0, 1] as const) {
        const browser = await open({ options: { clean } })
        expect(await browser.subscribe(own, qos)).toBe('granted')
        await browser.end({ abruptly: true })
      }
    }
    await waitFor(async () => (await listOfBrowsers(vhost)).length === 0, { what: 'no queue of a browser to be left' })
  })

  test('another vhost is not entered', async ({ vhost, cleanUp }) => {
    const { makeToken, open } = await setUp(vhost, { cleanUp })
    const browser = await open({ token: makeToken({ vhost: `${vhost.name}-other` }) })
    expect(browser.answer).toMatch(/^refused/)
  })
})

test('over AMQP a token hears no more than in a browser, and its queues end by themselves', async ({
  vhost,
  cleanUp,
}) => {
  const { makeToken } = await setUp(vhost, { cleanUp })
  const mine = 'mqtt-subscription-42.user-1.mine'
  const amqpUrl = Object.assign(new URL(vhost.url), { username: 'x', password: makeToken() }).href
  const attempts: [string, RegExp, (channel: import('amqplib').ConfirmChannel) => Promise<unknown>][] = [
    ['declare a queue of its user', /^done$/, (channel) => channel.assertQueue(mine)],
    ['bind it to its conversation', /^done$/, (channel) => channel.bindQueue(mine, 'realtime', 'chat.42.own')],
    ['bind it to another one', /ACCESS_REFUSED/, (channel) => channel.bindQueue(mine, 'realtime', 'chat.42.foreign')],
    ['bind it to all', /ACCESS_REFUSED/, (channel) => channel.bindQueue(mine, 'realtime', '#')],
    ['bind it to messages', /ACCESS_REFUSED/, (channel) => channel.bindQueue(mine, 'messages', 'chat.*')],
    [
      'declare a queue of another user',
      /ACCESS_REFUSED/,
      (channel) => channel.assertQueue('mqtt-subscription-42.user-2.x'),
    ],
    ['declare a queue with a name of the broker', /ACCESS_REFUSED/, (channel) => channel.assertQueue('')],
    ['take from a work queue', /ACCESS_REFUSED/, (channel) => channel.get('chat.messages')],
    ['publish live updates', /ACCESS_REFUSED/, (channel) => publish(channel, 'realtime', 'chat.42.own')],
    ['publish messages', /ACCESS_REFUSED/, (channel) => publish(channel, 'messages', 'chat.direct')],
    ['publish to the default exchange', /ACCESS_REFUSED/, (channel) => publish(channel, '', 'chat.messages')],
  ]
  const answers: Record<string, string> = {}
  for (const [what, , attempt] of attempts) answers[what] = await tryOverAmqp(amqpUrl, attempt)
  printNumbers('a token over AMQP', answers)
  for (const [what, expected] of attempts) expect(answers[what], what).toMatch(expected)
  // From what the broker gathers every 5 s.
  const left = await waitFor(async () => (await listOfBrowsers(vhost)).find(({ policy }) => policy), {
    what: 'the policy of its queue',
    timeoutMs: 15_000,
  })
  expect(left).toMatchObject({ name: mine, policy: 'realtime.browsers' })
  expect(left.effective_policy_definition).toMatchObject({ expires: 60_000 })
})

test('the management interface is not for a token', async ({ vhost, cleanUp }) => {
  const { makeToken } = await setUp(vhost, { cleanUp })
  const token = makeToken()
  const basic = `Basic ${Buffer.from(`x:${token}`).toString('base64')}`
  for (const authorization of [basic, `Bearer ${token}`]) {
    for (const path of ['whoami', 'overview', `queues/${vhost.name}`]) {
      expect(await managementAnswer(path, authorization), path).toBe(401)
    }
  }
})

async function listOfBrowsers(vhost: TestVhost): Promise<ListedQueue[]> {
  return (await listQueues(vhost)).filter(({ name }) => name.startsWith('mqtt-subscription-'))
}

async function publish(channel: import('amqplib').ConfirmChannel, exchange: string, key: string): Promise<void> {
  channel.publish(exchange, key, Buffer.from('x'))
  await channel.waitForConfirms()
}

async function tryOverAmqp(
  amqpUrl: string,
  attempt: (channel: import('amqplib').ConfirmChannel) => Promise<unknown>,
): Promise<string> {
  const connection = await connect(amqpUrl)
  connection.on('error', () => {})
  try {
    const channel = await connection.createConfirmChannel()
    const refused = new Promise<never>((_, reject) => channel.on('error', reject))
    return await Promise.race([refused, attempt(channel).then(() => 'done')])
  } catch (error) {
    // The channel tells why a publication is refused, its confirmation only that the channel is closed.
    return /ACCESS_REFUSED/.exec((error as Error).message)?.[0] ?? (error as Error).message
  } finally {
    await connection.close()
  }
}
