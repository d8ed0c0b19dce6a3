import { expect, test, vi } from 'vitest'
import { createMessage } from '../../test/support/create-message.js'
import { openPage, seconds, settle } from '../../test/support/open-page.js'

test('a conversation is offline, catches up, and is live; what was stored before comes first', async () => {
  const { application, broker, open } = openPage()
  application.stored.set('a', 3)
  const a = open('a')
  expect(a.states).toEqual([])
  await settle()
  await settle()
  expect(a.states).toEqual(['offline', 'catching-up', 'live'])
  broker.broadcast('a', 4, 5)
  expect(a.heard).toEqual([1, 2, 3, 4, 5])
  await settle()
  expect(a.states).toEqual(['offline', 'catching-up', 'live'])
})

test('a message carries what was sent, with the time as a Date', async () => {
  const { broker, client } = openPage()
  const messages: unknown[] = []
  client.subscribe('a', { after: 0, onMessage: (message) => messages.push(message) })
  await settle()
  broker.last.send('chat/42/a', { ...createMessage('a', 1), newField: 1 })
  expect(messages).toEqual([createMessage('a', 1)])
})

test('what comes twice, or is older than what the page has, is handed on no more', async () => {
  const { broker, open } = openPage()
  const a = open('a', { after: 7 })
  await settle()
  broker.broadcast('a', 6, 7, 8, 8, 7, 9)
  expect(a.heard).toEqual([8, 9])
})

test('a gap is filled before what comes after it is handed on', async () => {
  const { application, broker, open } = openPage()
  const a = open('a', { after: 7 })
  await settle()
  a.onlyNew()
  application.stored.set('a', 9)
  broker.broadcast('a', 9)
  expect(a.heard).toEqual([])
  await settle()
  expect(application.questions.at(-1)).toEqual([{ conversationId: 'a', after: 7 }])
  expect(a.heard).toEqual([8, 9])
  expect(application.questions).toHaveLength(2)
  expect(a.onlyNew()).toEqual(['catching-up', 'live'])
})

test('messages that overtake each other are no gap, and nothing is asked', async () => {
  const { application, broker, open } = openPage()
  const a = open('a')
  await settle()
  a.onlyNew()
  broker.broadcast('a', 2, 3, 1)
  await settle()
  expect([a.heard, a.onlyNew(), application.questions.length]).toEqual([[1, 2, 3], [], 1])
})

test('what comes live while it is loaded is in its place', async () => {
  const { application, broker, open } = openPage()
  application.stored.set('a', 5)
  const a = open('a')
  await vi.advanceTimersByTimeAsync(0)
  broker.broadcast('a', 6, 8)
  application.stored.set('a', 8)
  await settle()
  expect(a.heard).toEqual([1, 2, 3, 4, 5, 6, 7, 8])
})

test('gaps of several conversations at a time are one question', async () => {
  const { application, broker, open } = openPage()
  const pages = ['a', 'b', 'c'].map((id) => open(id))
  await settle()
  expect(application.questions).toHaveLength(1)
  for (const id of ['a', 'b', 'c']) {
    application.stored.set(id, 2)
    broker.broadcast(id, 2)
  }
  await settle()
  expect(application.questions).toHaveLength(2)
  expect(pages.map(({ heard }) => heard)).toEqual([
    [1, 2],
    [1, 2],
    [1, 2],
  ])
})

test('an answer that was cut is followed by another question, until nothing new comes', async () => {
  const { application, open } = openPage()
  application.stored.set('a', 25)
  application.atMost = 10
  const a = open('a')
  await seconds(1)
  expect(a.heard).toEqual(Array.from({ length: 25 }, (_, index) => index + 1))
  expect(application.questions.map(([question]) => question?.after)).toEqual([0, 10, 20, 25])
  expect(a.states.at(-1)).toBe('live')
})

test('an answer may be longer than what it keeps of what came too early', async () => {
  const { application, open } = openPage()
  application.stored.set('a', 1_000)
  const a = open('a')
  await seconds(1)
  expect(a.heard).toHaveLength(1_000)
  expect(application.questions.map(([question]) => question?.after)).toEqual([0, 1_000])
})

test('more than it keeps of what came too early is loaded again', async () => {
  const { application, broker, open } = openPage()
  const a = open('a')
  await settle()
  application.answers.push([], [], [])
  broker.broadcast('a', ...Array.from({ length: 300 }, (_, index) => index + 2))
  application.stored.set('a', 301)
  await seconds(60)
  expect(a.heard).toEqual(Array.from({ length: 301 }, (_, index) => index + 1))
})

test('the last message of a conversation is found by the next look, although no later one tells of it', async () => {
  const { application, broker, open } = openPage()
  const a = open('a')
  await settle()
  broker.broadcast('a', 1)
  application.stored.set('a', 2)
  await seconds(59)
  expect(a.heard).toEqual([1])
  await seconds(2)
  expect(a.heard).toEqual([1, 2])
})

test('a look at what is complete does not change its state, and asks for all in one', async () => {
  const { application, open } = openPage()
  const a = open('a')
  open('b')
  await settle()
  a.onlyNew()
  await seconds(61)
  expect(application.questions).toEqual([
    [
      { conversationId: 'a', after: 0 },
      { conversationId: 'b', after: 0 },
    ],
    [
      { conversationId: 'a', after: 0 },
      { conversationId: 'b', after: 0 },
    ],
  ])
  expect(a.onlyNew()).toEqual([])
})

test('two subscriptions to one conversation have their own messages each', async () => {
  const { application, broker, open } = openPage()
  application.stored.set('a', 4)
  const early = open('a', { after: 1 })
  const late = open('a', { after: 3 })
  await seconds(1)
  application.stored.set('a', 5)
  broker.broadcast('a', 5)
  expect([early.heard, late.heard]).toEqual([
    [2, 3, 4, 5],
    [4, 5],
  ])
  expect(application.questions.slice(0, 2)).toEqual([
    [{ conversationId: 'a', after: 1 }],
    [{ conversationId: 'a', after: 3 }],
  ])
  const later = open('a', { after: 2 })
  await seconds(1)
  expect(later.heard).toEqual([3, 4, 5])
  expect(later.states).toEqual(['offline', 'catching-up', 'live'])
  early.close()
  broker.broadcast('a', 6)
  expect([early.heard.at(-1), late.heard.at(-1), later.heard.at(-1)]).toEqual([5, 6, 6])
})

test('a callback that fails is reported, and the next messages come', async () => {
  const { broker, open, errors, client } = openPage()
  const a = open('a', {
    onMessage(sequence) {
      if (sequence === 1) throw new Error('no such element')
      return Promise.reject(new Error('later'))
    },
  })
  client.subscribe('b', {
    after: 0,
    onMessage: () => {},
    onState() {
      throw new Error('no state')
    },
  })
  await settle()
  broker.broadcast('a', 1, 2)
  await settle()
  expect(a.heard).toEqual([1, 2])
  expect(errors.map(({ code, message }) => [code, message])).toEqual(
    expect.arrayContaining([
      ['CALLBACK_FAILED', 'onMessage failed: no such element'],
      ['CALLBACK_FAILED', 'onMessage failed: later'],
      ['CALLBACK_FAILED', 'onState failed: no state'],
    ]),
  )
})

test('a subscription that is ended within onMessage is handed on nothing more', async () => {
  const { application, broker, open } = openPage()
  application.stored.set('a', 5)
  const a = open('a', { onMessage: (sequence) => sequence === 2 && a.close() })
  await seconds(1)
  broker.broadcast('a', 6)
  expect(a.heard).toEqual([1, 2])
  expect(broker.last.topics).toEqual(new Set())
})

test.each([
  ['no JSON', 'chat/42/a', '{'],
  ['null', 'chat/42/a', null],
  ['one of another conversation', 'chat/42/a', createMessage('b', 1)],
  ['one of another tenant', 'chat/42/a', { ...createMessage('a', 1), tenantId: 43 }],
  ['one whose number is a text', 'chat/42/a', { ...createMessage('a', 1), sequence: '1' }],
  ['one with the number 0', 'chat/42/a', { ...createMessage('a', 1), sequence: 0 }],
  ['one without a content', 'chat/42/a', { ...createMessage('a', 1), content: undefined }],
  ['one without a time', 'chat/42/a', { ...createMessage('a', 1), timestamp: 'noon' }],
])('a broadcast that is %s is dropped and reported, and shown to nobody', async (_name, topic, payload) => {
  const { broker, open, errors } = openPage()
  const a = open('a')
  const b = open('b')
  await settle()
  broker.last.send(topic, payload)
  broker.broadcast('a', 1)
  expect([a.heard, b.heard]).toEqual([[1], []])
  expect(errors.map(({ code, conversationId }) => [code, conversationId])).toEqual([['INVALID_BROADCAST', 'a']])
  expect(errors[0]?.message).not.toMatch(/message 1/)
})

test('nothing is called after close', async () => {
  const { application, broker, client, open, errors } = openPage()
  const a = open('a')
  await settle()
  application.answers.push('hang')
  broker.broadcast('a', 3)
  await settle()
  client.close()
  const before = [...a.states]
  await seconds(120)
  expect([a.heard, a.states, errors]).toEqual([[], before, []])
  expect(broker.open).toEqual([])
  expect(vi.getTimerCount()).toBe(0)
  expect(() => open('b')).toThrow('closed')
})
