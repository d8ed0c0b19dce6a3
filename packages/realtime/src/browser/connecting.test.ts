import { afterEach, expect, test, vi } from 'vitest'
import { createTestToken } from '../../test/support/create-test-token.js'
import { openPage, seconds, settle } from '../../test/support/open-page.js'
import { RealtimeError } from './realtime-error.js'

afterEach(() => void vi.unstubAllGlobals())

const refused = () => new RealtimeError('TOKEN_REFUSED', 'the broker does not take the token')
const away = () => new RealtimeError('CONNECTION_FAILED', 'no connection')

test('after a lost connection the next one is opened, and all conversations are asked about in one question', async () => {
  const { application, broker, open, codes } = openPage()
  const a = open('a')
  const b = open('b')
  await settle()
  broker.broadcast('a', 1)
  a.onlyNew()
  broker.last.lose()
  application.stored.set('a', 3).set('b', 1)
  await settle()
  expect(a.onlyNew()).toEqual(['offline'])
  await seconds(1)
  expect(application.questions.slice(1)).toEqual([
    [
      { conversationId: 'a', after: 1 },
      { conversationId: 'b', after: 0 },
    ],
    [
      { conversationId: 'a', after: 3 },
      { conversationId: 'b', after: 1 },
    ],
  ])
  expect([a.heard, b.heard, a.onlyNew()]).toEqual([[1, 2, 3], [1], ['catching-up', 'live']])
  expect([codes(), application.tokens]).toEqual([['CONNECTION_LOST'], 1])
})

test('an answer to what was asked before the connection was lost does not make a conversation live', async () => {
  const { application, broker, open } = openPage()
  let answer = (_: readonly []) => {}
  const late = new Promise<readonly []>((resolve) => {
    answer = resolve
  })
  application.answers.push(late, 'hang')
  const a = open('a')
  await settle()
  broker.last.lose()
  application.stored.set('a', 1)
  await seconds(1)
  answer([])
  await seconds(1)
  expect(a.states).toEqual(['offline', 'catching-up', 'offline', 'catching-up'])
  await seconds(15)
  expect([a.heard, a.states.at(-1)]).toEqual([[1], 'live'])
})

test('what was heard over the last connection does not end the search for what was missed since', async () => {
  const { application, broker, open } = openPage()
  const a = open('a', { after: 7 })
  await settle()
  application.answers.push([])
  broker.broadcast('a', 9)
  await settle()
  application.stored.set('a', 10)
  application.atMost = 2
  broker.last.lose()
  await seconds(1)
  expect([a.heard, a.states.at(-1)]).toEqual([[8, 9, 10], 'live'])
})

test('a connection that is lost at the moment at which it is ready is opened again', async () => {
  const { broker, open } = openPage()
  broker.onAnswer = (link) => {
    broker.onAnswer = () => {}
    queueMicrotask(() => link.lose())
  }
  const a = open('a')
  await seconds(2)
  expect([broker.links.length, broker.open.length, a.states.at(-1)]).toEqual([2, 1, 'live'])
})

test('a network that comes back during an attempt that fails leads to the next one at once', async () => {
  const page = new EventTarget()
  vi.stubGlobal('addEventListener', page.addEventListener.bind(page))
  let fail = (_: Error) => {}
  const { broker, open } = openPage({
    openLink: (options, signal) => {
      if (broker.failure === undefined) return broker.openLink(options, signal)
      broker.urls.push(options.url)
      return new Promise((_resolve, reject) => {
        fail = reject
      })
    },
  })
  broker.failure = away()
  const a = open('a')
  for (let attempt = 0; attempt < 8; attempt += 1) {
    await seconds(20)
    fail(away())
  }
  await seconds(20)
  const tried = broker.urls.length
  page.dispatchEvent(new Event('online'))
  broker.failure = undefined
  fail(away())
  await settle()
  await settle()
  expect([broker.urls.length, a.states.at(-1)]).toEqual([tried + 1, 'live'])
})

test('a computer that has slept ends what has ended meanwhile, before any timer', async () => {
  const page = new EventTarget()
  vi.stubGlobal('addEventListener', page.addEventListener.bind(page))
  const { application, broker, open } = openPage()
  const a = open('a')
  await settle()
  a.onlyNew()
  const [first] = broker.links
  vi.setSystemTime(Date.now() + 60 * 60 * 1000)
  application.createToken = () => new Promise(() => {})
  page.dispatchEvent(new Event('online'))
  expect(first?.isEnded).toBe(true)
  await settle()
  expect([a.onlyNew(), application.tokens]).toEqual([['offline'], 2])
})

test('a broker that is away is tried more and more rarely, at the addresses in turn', async () => {
  const urls = ['ws://a.example.com/ws', 'ws://b.example.com/ws', 'ws://c.example.com/ws']
  const { broker, open, codes } = openPage({ urls })
  broker.failure = away()
  const a = open('a')
  await seconds(10)
  expect(broker.urls.slice(0, 4)).toEqual([urls[1], urls[2], urls[0], urls[1]])
  expect(broker.urls.length).toBeLessThan(9)
  await seconds(100)
  expect(broker.urls.length).toBeLessThan(16)
  expect(new Set(codes())).toEqual(new Set(['CONNECTION_FAILED']))
  broker.failure = undefined
  await seconds(31)
  expect(a.states).toEqual(['offline', 'catching-up', 'live'])
})

test('whatever keeps the connection from being opened is reported, and tried again', async () => {
  const { broker, open, errors } = openPage()
  broker.failure = new TypeError('x is not a function')
  const a = open('a')
  await settle()
  expect(errors.map(({ code, message }) => [code, message])).toEqual([
    ['CONNECTION_FAILED', 'no connection: x is not a function'],
  ])
  broker.failure = undefined
  await seconds(1)
  expect(a.states.at(-1)).toBe('live')
})

test('a connection that holds ends a row of failures, one that breaks at once does not', async () => {
  const { broker, open } = openPage()
  open('a')
  await settle()
  for (let lost = 0; lost < 5; lost += 1) {
    broker.last.lose()
    await seconds(8)
  }
  broker.last.lose()
  await seconds(4)
  const before = broker.links.length
  await seconds(10)
  expect(broker.links.length).toBe(before + 1)
  await seconds(20)
  broker.last.lose()
  await seconds(0.3)
  expect(broker.open).toHaveLength(1)
})

test('the token is renewed before it ends, without a moment in which nothing is heard', async () => {
  const { application, broker, open } = openPage()
  const a = open('a')
  await settle()
  a.onlyNew()
  const [first] = broker.links
  await seconds(630)
  expect([application.tokens, broker.links.length]).toEqual([1, 1])
  application.createToken = async () => {
    await new Promise((resolve) => setTimeout(resolve, 5_000))
    return createTestToken()
  }
  await seconds(52)
  expect([application.tokens, broker.links.length, first?.isEnded]).toEqual([2, 2, true])
  broker.broadcast('a', 1)
  expect([a.heard, a.onlyNew()]).toEqual([[1], []])
  expect(broker.last.options.token.value).not.toBe(first?.options.token.value)
  expect(broker.open).toHaveLength(1)
})

test('while the next connection is opened the last one is heard, and what both bring comes once', async () => {
  const { broker, open } = openPage()
  const a = open('a')
  await settle()
  broker.isSilent = true
  await seconds(700)
  expect(broker.open.length).toBeGreaterThan(0)
  broker.broadcast('a', 1, 2)
  expect(a.heard).toEqual([1, 2])
})

/** The connection is being renewed, and the broker has answered about the first fifty of sixty conversations. */
async function openRenewal() {
  const page = openPage()
  const { application, broker, open } = page
  application.createToken = () => createTestToken({ conversations: 'whole-tenant' })
  const pages = Array.from({ length: 60 }, (_, index) => open(`c${index}`))
  await settle()
  await settle()
  for (const { onlyNew } of pages) onlyNew()
  broker.onAnswer = () => {
    broker.onAnswer = () => {}
    broker.isSilent = true
  }
  await seconds(680)
  expect(broker.open).toHaveLength(2)
  expect(broker.last.packets.map((packet) => packet.length)).toEqual([50, 10])
  return { ...page, pages }
}

test('a next connection that is lost before it is ready takes nothing from the last one', async () => {
  const { broker, pages } = await openRenewal()
  broker.failure = away()
  broker.last.lose()
  await seconds(30)
  expect(pages.flatMap(({ onlyNew }) => onlyNew())).toEqual([])
  broker.broadcast('c0', 1)
  expect([broker.open.length, pages[0]?.heard]).toEqual([1, [1]])
})

test('what the next connection brings already stays live when the last one is lost', async () => {
  const { broker, pages } = await openRenewal()
  broker.links[0]?.lose()
  await settle()
  expect(pages.map(({ states }) => states.length)).toEqual([...Array(50).fill(0), ...Array(10).fill(1)])
  broker.speak()
  await seconds(1)
  expect(pages.map(({ states }) => states.at(-1) ?? 'live')).toEqual(Array(60).fill('live'))
  expect(broker.open).toHaveLength(1)
})

test('the connection is ended with its token if there is no new one, and opened when there is', async () => {
  const { application, broker, open, codes } = openPage()
  const a = open('a')
  await settle()
  a.onlyNew()
  application.createToken = () => {
    throw new Error('HTTP 500')
  }
  await seconds(898)
  expect([broker.open.length, a.onlyNew()]).toEqual([1, []])
  await seconds(2)
  expect([broker.open.length, a.onlyNew()]).toEqual([0, ['offline']])
  expect(codes()).toEqual(expect.arrayContaining(['TOKEN_UNAVAILABLE', 'CONNECTION_LOST']))
  application.createToken = () => createTestToken()
  await seconds(31)
  expect(a.onlyNew()).toEqual(['catching-up', 'live'])
})

test('a clock that is wrong changes nothing', async () => {
  const { application, broker, open } = openPage()
  const ahead = createTestToken()
  vi.setSystemTime(Date.now() + 3 * 60 * 60 * 1000)
  application.createToken = () => ahead
  const a = open('a')
  await settle()
  await settle()
  expect(a.states.at(-1)).toBe('live')
  vi.setSystemTime(Date.now() - 24 * 60 * 60 * 1000)
  await seconds(680)
  expect([application.tokens, broker.open.length]).toEqual([2, 1])
})

test('a token that lasts seconds is renewed, and not all the time', async () => {
  const { application, broker, open } = openPage()
  application.createToken = () => createTestToken({ ttlSeconds: 10 })
  const a = open('a')
  await seconds(100)
  expect(application.tokens).toBeGreaterThan(15)
  expect(application.tokens).toBeLessThan(30)
  expect([broker.open.length, a.states.at(-1)]).toEqual([1, 'live'])
})

test('a getToken that fails or hangs is asked again', async () => {
  const { application, open, errors } = openPage()
  application.createToken = () => new Promise(() => {})
  const a = open('a')
  await seconds(9)
  expect(errors).toEqual([])
  application.createToken = () => Promise.reject(new Error('HTTP 500'))
  await seconds(5)
  expect(errors.map(({ message }) => message).slice(0, 2)).toEqual([
    'getToken failed: there was no answer within 10 s',
    'getToken failed: HTTP 500',
  ])
  expect(a.states).toEqual(['offline'])
  application.createToken = () => createTestToken()
  await seconds(10)
  expect(a.states.at(-1)).toBe('live')
})

test('a token that the broker refuses is not used again', async () => {
  const { application, broker, open, codes } = openPage()
  broker.failure = refused()
  const a = open('a')
  await seconds(3)
  expect(application.tokens).toBeGreaterThan(1)
  expect(application.tokens).toBe(broker.urls.length)
  expect(codes()[0]).toBe('TOKEN_REFUSED')
  broker.failure = undefined
  await seconds(10)
  expect(a.states.at(-1)).toBe('live')
})

test('a broker that closes the connection without a word may not take the token, so another one is tried', async () => {
  const { application, broker, open } = openPage()
  broker.failure = away()
  open('a')
  await seconds(60)
  expect(application.tokens).toBe(Math.ceil(broker.urls.length / 2))
})

test('while the broker is away a token that is good for long enough does', async () => {
  const { application, broker, open } = openPage()
  broker.failure = away()
  const a = open('a')
  await settle()
  application.createToken = () => Promise.reject(new Error('HTTP 500'))
  await seconds(20)
  broker.failure = undefined
  await seconds(31)
  expect([application.tokens > 1, a.states.at(-1)]).toEqual([true, 'live'])
})

test.each([
  ['no text', { token: 'x' }],
  ['no JSON Web Token', 'abc'],
  ['of another subject', `e30.${Buffer.from('{"sub":"bob","iat":1,"exp":2}').toString('base64url')}.x`],
  ['without a time', `e30.${Buffer.from('{"sub":"42.bob"}').toString('base64url')}.x`],
  ['null inside', `e30.${Buffer.from('null').toString('base64url')}.x`],
])('a token that is %s is refused with words', async (_name, token) => {
  const { application, broker, open, errors } = openPage()
  application.createToken = () => token as string
  open('a')
  await settle()
  expect([errors[0]?.code, broker.urls]).toEqual(['TOKEN_INVALID', []])
  expect(errors[0]?.message).toMatch(/createRealtimeToken/)
})

test('a token of another tenant is refused', async () => {
  const { application, broker, open, codes } = openPage()
  open('a')
  await settle()
  application.createToken = () => createTestToken({ tenantId: 43 })
  await seconds(700)
  expect([codes()[0], broker.links.length]).toEqual(['TOKEN_INVALID', 1])
})

test('the network that goes and comes is noticed at once', async () => {
  const page = new EventTarget()
  vi.stubGlobal('addEventListener', page.addEventListener.bind(page))
  const { application, broker, open } = openPage()
  const a = open('a')
  await settle()
  a.onlyNew()
  broker.failure = away()
  page.dispatchEvent(new Event('offline'))
  await settle()
  expect([broker.open.length, a.onlyNew()]).toEqual([0, ['offline']])
  await seconds(120)
  const tried = broker.urls.length
  broker.failure = undefined
  page.dispatchEvent(new Event('online'))
  await settle()
  expect(broker.urls.length).toBe(tried + 1)
  await settle()
  expect(a.onlyNew()).toEqual(['catching-up', 'live'])
  const asked = application.questions.length
  page.dispatchEvent(new Event('online'))
  await settle()
  expect([application.questions.length, broker.urls.length]).toEqual([asked + 1, tried + 1])
})

test('a page that is looked at again asks at once', async () => {
  const document = Object.assign(new EventTarget(), { visibilityState: 'hidden' })
  vi.stubGlobal('document', document)
  const { application, open } = openPage()
  open('a')
  await settle()
  document.dispatchEvent(new Event('visibilitychange'))
  await settle()
  expect(application.questions).toHaveLength(1)
  document.visibilityState = 'visible'
  document.dispatchEvent(new Event('visibilitychange'))
  await settle()
  expect(application.questions).toHaveLength(2)
})
