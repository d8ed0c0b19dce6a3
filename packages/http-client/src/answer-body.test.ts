import { expect, test } from 'vitest'
import { createAnswerBody } from './answer-body.js'

test('what fits is kept', () => {
  const body = createAnswerBody(10)
  expect([body.add(Buffer.from('hello')), body.add(Buffer.from('world'))]).toEqual([true, true])
  expect(body.toBuffer().toString()).toBe('helloworld')
})

test('what does not fit is said to be too much, and never kept', () => {
  const body = createAnswerBody(8)
  expect([body.add(Buffer.from('hello')), body.add(Buffer.from('world')), body.add(Buffer.alloc(1e6))]).toEqual([
    true,
    false,
    false,
  ])
  expect(body.toBuffer().toString()).toBe('hellowor')
})
