import { expect, test } from 'vitest'
import { createMessage } from '../../test/support/create-message.js'
import { createTestToken } from '../../test/support/create-test-token.js'
import { openPage, seconds, settle } from '../../test/support/open-page.js'

test('a question that fails is asked again, more and more rarely, and the conversation catches up meanwhile', async () => {
  const { application, broker, open, codes } = openPage()
  application.answers.push(...Array.from({ length: 12 }, () => new Error('HTTP 503')))
  application.stored.set('a', 2)
  const a = open('a')
  await settle()
  await settle()
  expect(a.states).toEqual(['offline', 'catching-up'])
  broker.broadcast('a', 3)
  expect(a.heard).toEqual([])
  await seconds(8)
  const soon = application.questions.length
  expect(soon).toBeLessThanOrEqual(7)
  expect(soon).toBeGreaterThan(2)
  expect(codes()).toContain('LOAD_FAILED')
  await seconds(180)
  expect(a.heard).toEqual([1, 2, 3])
  expect(a.states).toEqual(['offline', 'catching-up', 'live'])
})

test('a question that hangs is given up and asked again, and other conversations go on', async () => {
  const { application, broker, open, errors } = openPage()
  const b = open('b')
  await settle()
  application.answers.push('hang')
  application.stored.set('a', 1).set('b', 2)
  const a = open('a')
  await settle()
  broker.broadcast('b', 2)
  await settle()
  expect(b.heard).toEqual([1, 2])
  expect(a.states.at(-1)).toBe('catching-up')
  await seconds(9.5)
  expect(errors).toEqual([])
  await seconds(2)
  expect(errors.map(({ code, message }) => [code, message])).toEqual([
    ['LOAD_FAILED', 'loadAfter failed: there was no answer within 10 s'],
  ])
  expect([a.heard, a.states.at(-1)]).toEqual([[1], 'live'])
})

test('one conversation that spoils every question is asked about alone in the end', async () => {
  const ids = Array.from({ length: 40 }, (_, index) => `c${index}`)
  const { application, open } = openPage({
    async loadAfter(question) {
      if (question.some(({ conversationId }) => conversationId === 'c17')) throw new Error('HTTP 403')
      return await application.loadAfter(question)
    },
  })
  application.createToken = () => createTestToken({ conversations: 'whole-tenant' })
  const pages = ids.map((id) => {
    application.stored.set(id, 1)
    return { id, ...open(id) }
  })
  await seconds(30)
  const behind = pages.filter(({ states }) => states.at(-1) !== 'live')
  expect(behind.map(({ id }) => id)).toEqual(['c17'])
})

test('a server that is away is asked about all conversations, two questions at a time', async () => {
  let isAway = true
  const questions: number[] = []
  const { application, open } = openPage({
    async loadAfter(question) {
      questions.push(question.length)
      if (isAway) throw new Error('HTTP 503')
      return await application.loadAfter(question)
    },
  })
  application.createToken = () => createTestToken({ conversations: 'whole-tenant' })
  const pages = Array.from({ length: 40 }, (_, index) => open(`c${index}`))
  await seconds(300)
  expect(questions.length).toBeLessThan(60)
  expect(Math.min(...questions.slice(-8))).toBeGreaterThanOrEqual(10)
  isAway = false
  questions.length = 0
  await seconds(31)
  expect(pages.every(({ states }) => states.at(-1) === 'live')).toBe(true)
  expect(questions.length).toBeLessThan(10)
})

test('an answer that does not have what is missing is asked for again, and told after a while, and nothing is skipped', async () => {
  const { application, broker, open, errors } = openPage()
  const a = open('a', { after: 7 })
  await settle()
  application.stored.set('a', 10)
  application.missing.add('a:8')
  broker.broadcast('a', 9, 10)
  await seconds(1)
  expect([a.heard, errors]).toEqual([[], []])
  await seconds(30)
  expect(errors.map(({ code, conversationId }) => [code, conversationId])).toEqual([['GAP_NOT_FILLED', 'a']])
  expect(errors[0]?.message).toMatch(/message 8/)
  expect([a.heard, a.states.at(-1)]).toEqual([[], 'catching-up'])
  application.missing.clear()
  await seconds(60)
  expect([a.heard, a.states.at(-1)]).toEqual([[8, 9, 10], 'live'])
  expect(errors).toHaveLength(1)
})

test('a gap that was filled late does not hold up the next one', async () => {
  const { application, broker, open } = openPage()
  const a = open('a')
  await settle()
  application.answers.push([])
  broker.broadcast('a', 2)
  await settle()
  application.stored.set('a', 2)
  await seconds(1)
  expect(a.heard).toEqual([1, 2])
  application.stored.set('a', 4)
  broker.broadcast('a', 4)
  await settle()
  expect(a.heard).toEqual([1, 2, 3, 4])
})

test('a gap that is not filled is asked about with growing pauses', async () => {
  const { application, broker, open } = openPage()
  open('a')
  await settle()
  application.missing.add('a:1')
  broker.broadcast('a', 2)
  await seconds(300)
  expect(application.questions.length).toBeLessThan(40)
  expect(application.questions.length).toBeGreaterThan(10)
})

test.each([
  ['no array', { a: [] }, undefined],
  [
    'one with a conversation that was not asked for',
    [{ conversationId: 'z', messages: [createMessage('z', 1)] }],
    undefined,
  ],
  ['one without messages', [{ conversationId: 'a' }], 'a'],
  [
    'one whose numbers are texts',
    [{ conversationId: 'a', messages: [{ ...createMessage('a', 1), sequence: '1' }] }],
    'a',
  ],
  ['one with a message of another conversation', [{ conversationId: 'a', messages: [createMessage('b', 1)] }], 'a'],
  ['one with null for a message', [{ conversationId: 'a', messages: [null] }], 'a'],
])('an answer that is %s is reported, and asked for again', async (_name, answer, conversationId) => {
  const { application, open, errors } = openPage()
  application.answers.push(answer as never)
  application.stored.set('a', 2)
  const a = open('a')
  await settle()
  await settle()
  expect(errors.map((error) => [error.code, error.conversationId])).toEqual([['INVALID_LOADED', conversationId]])
  expect(a.states.at(-1)).toBe('catching-up')
  await seconds(2)
  expect(a.heard).toEqual([1, 2])
  expect(a.states).toEqual(['offline', 'catching-up', 'live'])
})

test.each([
  ['an error instead of an array', { error: 'unauthorized' }],
  ['entries without a known name', [{ conversation_id: 'a', messages: [createMessage('a', 1)] }]],
])('a server that always answers with %s never makes a conversation live', async (_name, answer) => {
  const questions: number[] = []
  const { application, open, codes } = openPage({
    async loadAfter(question) {
      questions.push(question.length)
      return answer as never
    },
  })
  application.createToken = () => createTestToken({ conversations: 'whole-tenant' })
  const pages = Array.from({ length: 40 }, (_, index) => open(`c${index}`))
  await seconds(300)
  for (const { states } of pages) expect(states).toEqual(['offline', 'catching-up'])
  expect(new Set(codes())).toEqual(new Set(['INVALID_LOADED']))
  expect(questions.length).toBeLessThan(60)
})

test('beside an entry that cannot be read, only a conversation with an entry of its own is live', async () => {
  const { application, open } = openPage()
  application.stored.set('a', 1).set('b', 1)
  application.answers.push([
    { conversationId: 'a', messages: [createMessage('a', 1)] },
    { conversation_id: 'b', messages: [createMessage('b', 1)] } as never,
  ])
  const a = open('a')
  const b = open('b')
  await settle()
  await settle()
  expect([a.heard, b.heard, b.states.at(-1)]).toEqual([[1], [], 'catching-up'])
  await seconds(2)
  expect([a.heard, b.heard, a.states.at(-1), b.states.at(-1)]).toEqual([[1], [1], 'live', 'live'])
})

test('an answer in the wrong order, with some twice, comes out in order and once', async () => {
  const { application, open, errors } = openPage()
  const messages = [3, 1, 2, 2, 3].map((sequence) => createMessage('a', sequence))
  application.stored.set('a', 3)
  application.answers.push([
    { conversationId: 'a', messages },
    { conversationId: 'a', messages },
  ])
  const a = open('a')
  await seconds(1)
  expect([a.heard, errors]).toEqual([[1, 2, 3], []])
})

test('a long answer in the wrong order is no reason to ask for it again', async () => {
  const { application, open } = openPage()
  const messages = Array.from({ length: 400 }, (_, index) => createMessage('a', 400 - index))
  application.stored.set('a', 400)
  application.answers.push([{ conversationId: 'a', messages }])
  const a = open('a')
  await seconds(1)
  expect(a.heard).toHaveLength(400)
  expect(application.questions.map(([question]) => question?.after)).toEqual([0, 400])
})

test('what the entry and the token say anyway may be left out of a message, and its time may be a text', async () => {
  const { application, open, errors } = openPage()
  const { conversationId: _id, tenantId: _tenant, timestamp, ...message } = createMessage('a', 1)
  application.stored.set('a', 1)
  application.answers.push([{ conversationId: 'a', messages: [{ ...message, timestamp: timestamp.toISOString() }] }])
  const a = open('a')
  await seconds(1)
  expect([a.heard, errors]).toEqual([[1], []])
})

test('a conversation that is left out of an answer has nothing new', async () => {
  const { application, open } = openPage()
  application.answers.push([])
  const a = open('a')
  await settle()
  await settle()
  expect(a.states).toEqual(['offline', 'catching-up', 'live'])
})

test('after a failed look a conversation is not live any more', async () => {
  const { application, open } = openPage()
  const a = open('a')
  await settle()
  a.onlyNew()
  application.answers.push(new Error('HTTP 502'))
  await seconds(62)
  expect(a.onlyNew()).toEqual(['catching-up', 'live'])
})
