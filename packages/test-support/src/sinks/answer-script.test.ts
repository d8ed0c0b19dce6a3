import { expect, test } from 'vitest'
import { createAnswerScript } from './answer-script.js'

test('gives the answers of the first key that has any left', () => {
  const script = createAnswerScript<number>()
  script.set('all', 1)
  script.set('one', [2, 3])
  const take = () => script.take(['one', 'all'])
  expect([take(), take(), take(), take()]).toEqual([2, 3, 1, 1])
  expect(script.take(['two'])).toBeUndefined()
})

test('an answer whose turn has not come is kept, and the next key asked', () => {
  const script = createAnswerScript<number>()
  script.set('one', [2, 3])
  script.set('all', 5)
  const isOdd = (answer: number) => answer % 2 === 1
  expect(script.take(['one', 'all'], isOdd)).toBe(5)
  expect(script.take(['one', 'all'])).toBe(2)
  expect(script.take(['one', 'all'], isOdd)).toBe(3)
  expect(script.take(['one', 'all'], isOdd)).toBe(5)
})

test('what is set replaces what was left', () => {
  const script = createAnswerScript<string>()
  script.set('one', ['a', 'b'])
  script.take(['one'])
  script.set('one', 'c', { times: 1 })
  expect([script.take(['one']), script.take(['one'])]).toEqual(['c', undefined])
})
