import { expect, test } from 'vitest'
import { createTestToken } from '../../test/support/create-test-token.js'
import { openPage, seconds, settle } from '../../test/support/open-page.js'

const topicsOf = (ids: string[]) => new Set(ids.map((id) => `chat/42/${id}`))

test('conversations are subscribed to together, and later ones over the same connection', async () => {
  const { broker, open } = openPage()
  open('a')
  open('b')
  await settle()
  open('c')
  await settle()
  expect(broker.links).toHaveLength(1)
  expect(broker.last.packets).toEqual([['chat/42/a', 'chat/42/b'], ['chat/42/c']])
})

test('what is opened while the connection is renewed is heard, and what is closed is not', async () => {
  const { application, broker, open } = openPage()
  open('a')
  await settle()
  const c = open('c')
  await settle()
  broker.isSilent = true
  await seconds(676)
  expect(broker.open).toHaveLength(2)
  application.stored.set('b', 1)
  const b = open('b')
  c.close()
  await settle()
  broker.speak()
  await seconds(1)
  expect(broker.open).toHaveLength(1)
  expect(broker.last.topics).toEqual(topicsOf(['a', 'b']))
  expect([b.heard, b.states.at(-1)]).toEqual([[1], 'live'])
})

test('what is opened at the very moment at which a connection is ready is heard', async () => {
  for (let turns = 0; turns < 20; turns += 1) {
    const { broker, open } = openPage()
    open('a')
    const later = new Promise<ReturnType<typeof open>>((resolve) => {
      broker.onAnswer = async () => {
        broker.onAnswer = () => {}
        for (let turn = 0; turn < turns; turn += 1) await undefined
        resolve(open('b'))
      }
    })
    await seconds(1)
    const { states } = await later
    expect([turns, states.at(-1)]).toEqual([turns, 'live'])
  }
})

test('a subscription that ends is ended at the broker, unless there is another one', async () => {
  const { broker, open } = openPage()
  const first = open('a')
  const second = open('a')
  open('b')
  await settle()
  first.close()
  first.close()
  expect(broker.last.topics).toEqual(topicsOf(['a', 'b']))
  second.close()
  expect(broker.last.topics).toEqual(topicsOf(['b']))
  const again = open('a')
  await settle()
  broker.broadcast('a', 1)
  expect([first.heard, second.heard, again.heard]).toEqual([[], [], [1]])
})

test('a subscription that ended before there was a connection is not subscribed to', async () => {
  const { broker, open } = openPage()
  const a = open('a')
  open('b')
  a.close()
  await settle()
  expect(broker.last.topics).toEqual(topicsOf(['b']))
  expect(a.states).toEqual([])
})

test('for a conversation that the token does not name another token is asked for, once', async () => {
  const { application, broker, open, errors } = openPage()
  const a = open('a')
  await settle()
  a.onlyNew()
  application.createToken = () => createTestToken({ conversations: ['a', 'new'] })
  const added = open('new')
  await seconds(1)
  expect([application.tokens, errors]).toEqual([2, []])
  expect(added.states).toEqual(['offline', 'catching-up', 'live'])
  const stranger = open('stranger')
  await seconds(300)
  expect(application.tokens).toBe(3)
  expect(errors.map(({ code, conversationId }) => [code, conversationId])).toEqual([['NOT_IN_TOKEN', 'stranger']])
  expect(stranger.states).toEqual(['offline'])
  expect(a.onlyNew()).toEqual([])
  expect(broker.links.flatMap(({ packets }) => packets.flat())).not.toContain('chat/42/stranger')
})

test('a conversation that a later token names is heard', async () => {
  const { application, open, codes } = openPage()
  const stranger = open('stranger')
  await seconds(10)
  expect([stranger.states, codes()]).toEqual([['offline'], ['NOT_IN_TOKEN']])
  await seconds(2_000)
  expect([application.tokens, codes()]).toEqual([4, ['NOT_IN_TOKEN']])
  application.createToken = () => createTestToken({ conversations: ['stranger'] })
  await seconds(900)
  expect(stranger.states.at(-1)).toBe('live')
})

test('a new subscription asks for another token, also beside one that is open already', async () => {
  const { application, open, codes } = openPage()
  const first = open('new')
  await seconds(10)
  expect([first.states, codes()]).toEqual([['offline'], ['NOT_IN_TOKEN']])
  application.createToken = () => createTestToken({ conversations: ['new'] })
  const second = open('new')
  await seconds(1)
  expect([first.states.at(-1), second.states.at(-1)]).toEqual(['live', 'live'])
})

test('that no token names a conversation is told after another one came, which is asked for until it comes', async () => {
  const { application, broker, open, codes } = openPage()
  open('a')
  await settle()
  application.createToken = () => Promise.reject(new Error('HTTP 500'))
  const stranger = open('stranger')
  await seconds(1)
  broker.last.lose()
  await seconds(60)
  expect(broker.open).toHaveLength(1)
  expect(codes()).not.toContain('NOT_IN_TOKEN')
  application.createToken = () => createTestToken({ conversations: ['a'] })
  await seconds(31)
  expect(codes().filter((code) => code === 'NOT_IN_TOKEN')).toHaveLength(1)
  expect(stranger.states).toEqual(['offline'])
  const { tokens } = application
  await seconds(300)
  expect(application.tokens).toBe(tokens)
})

test('what is opened while a token is being made is in the next one', async () => {
  const { application, open, codes } = openPage()
  let give = (_: string) => {}
  application.createToken = () =>
    new Promise((resolve) => {
      give = resolve
    })
  const a = open('a')
  await settle()
  give(createTestToken())
  await seconds(680)
  expect(application.tokens).toBe(2)
  const added = open('new')
  await settle()
  application.createToken = () => createTestToken({ conversations: ['a', 'new'] })
  give(createTestToken())
  await seconds(2)
  expect([a.states.at(-1), added.states.at(-1), application.tokens]).toEqual(['live', 'live', 3])
  expect(codes()).toEqual([])
})

test('a conversation that a later token does not name any more is offline', async () => {
  const { application, open, codes } = openPage()
  const a = open('a')
  const b = open('b')
  await settle()
  application.createToken = () => createTestToken({ conversations: ['b'] })
  await seconds(700)
  expect([a.states.at(-1), b.states.at(-1), codes()]).toEqual(['offline', 'live', ['NOT_IN_TOKEN']])
})

test('a token for a whole tenant names every conversation', async () => {
  const { application, broker, open } = openPage()
  application.createToken = () => createTestToken({ conversations: 'whole-tenant' })
  open('x.y/z')
  await settle()
  expect(broker.last.topics).toEqual(topicsOf(['x%2Ey%2Fz']))
})

test('a conversation that the broker refuses by its answer is offline, and the others are not', async () => {
  const { broker, open, errors } = openPage()
  broker.refuses.add('chat/42/b')
  const pages = ['a', 'b', 'c'].map((id) => open(id))
  await seconds(30)
  expect(pages.map(({ states }) => states.at(-1))).toEqual(['live', 'offline', 'live'])
  expect(errors.map(({ code, conversationId }) => [code, conversationId])).toEqual([['SUBSCRIPTION_REFUSED', 'b']])
  expect(broker.links).toHaveLength(1)
})

test('a conversation for which the broker closes the connection is found, and the others are heard for good', async () => {
  const { broker, open, errors } = openPage()
  broker.closesAt.add('chat/42/b')
  const pages = ['a', 'b', 'c'].map((id) => open(id))
  await seconds(60)
  expect(pages.map(({ states }) => states.at(-1))).toEqual(['live', 'offline', 'live'])
  const found = errors.filter(({ code }) => code === 'SUBSCRIPTION_REFUSED')
  expect(found.map(({ conversationId }) => conversationId)).toEqual(['b'])
  const links = broker.links.length
  expect(links).toBeLessThan(6)
  broker.closesAt.clear()
  await seconds(500)
  expect(broker.links).toHaveLength(links)
  await seconds(300)
  expect(pages[1]?.states.at(-1)).toBe('live')
})

test('a connection that is lost while it is asked about many makes none of them refused', async () => {
  const { broker, open, codes } = openPage()
  broker.isSilent = true
  const pages = ['a', 'b', 'c'].map((id) => open(id))
  await settle()
  broker.last.lose()
  broker.isSilent = false
  await seconds(5)
  expect(pages.map(({ states }) => states.at(-1))).toEqual(['live', 'live', 'live'])
  expect(codes()).not.toContain('SUBSCRIPTION_REFUSED')
})

test('a broker that is too slow to answer refuses no conversation', async () => {
  const { broker, open, codes } = openPage()
  broker.isSilent = true
  const a = open('a')
  for (let time = 0; time < 6; time += 1) {
    await seconds(31)
    broker.last.giveUp()
  }
  broker.isSilent = false
  await seconds(31)
  expect([a.states.at(-1), codes().includes('SUBSCRIPTION_REFUSED')]).toEqual(['live', false])
})

test('a refusal is forgotten after some minutes, whatever the token', async () => {
  const { application, broker, open, codes } = openPage()
  application.createToken = () => createTestToken({ ttlSeconds: 3_600 })
  broker.closesAt.add('chat/42/b')
  const pages = ['a', 'b'].map((id) => open(id))
  await seconds(60)
  broker.closesAt.clear()
  const links = broker.links.length
  await seconds(400)
  expect([broker.links.length, pages.map(({ states }) => states.at(-1))]).toEqual([links, ['live', 'offline']])
  await seconds(300)
  expect(pages.map(({ states }) => states.at(-1))).toEqual(['live', 'live'])
  expect(codes().filter((code) => code === 'SUBSCRIPTION_REFUSED')).toHaveLength(1)
  expect(application.tokens).toBe(1)
})

test('many conversations are subscribed to fifty at a time', async () => {
  const { application, broker, open } = openPage()
  application.createToken = () => createTestToken({ conversations: 'whole-tenant' })
  for (let index = 0; index < 130; index += 1) open(`c${index}`)
  await settle()
  expect(broker.last.packets.map((packet) => packet.length)).toEqual([50, 50, 30])
  expect(application.questions.map((question) => question.length)).toEqual([130])
})

test.each(['refuses', 'closesAt'] as const)('a broker that %s all of them for a while is asked again', async (how) => {
  const { broker, open } = openPage()
  broker[how].add('chat/42/a').add('chat/42/b')
  const pages = ['a', 'b'].map((id) => open(id))
  await seconds(50)
  const links = broker.links.length
  expect(links).toBeLessThan(9)
  expect(pages.map(({ states }) => states.at(-1))).toEqual(['offline', 'offline'])
  broker[how].clear()
  await seconds(80)
  expect(pages.map(({ states }) => states.at(-1))).toEqual(['live', 'live'])
})
