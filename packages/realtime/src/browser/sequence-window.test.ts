import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createMessage } from '../../test/support/create-message.js'
import { SequenceWindow } from './sequence-window.js'

function takeAll(window: SequenceWindow): number[] {
  const taken: number[] = []
  for (let next = window.take(); next !== undefined; next = window.take()) taken.push(next.sequence)
  return taken
}

test('whatever comes, in whatever order and how often, comes out once and in order, as far as there is no gap', () => {
  fc.assert(
    fc.property(
      fc.nat({ max: 10 }),
      fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 200 }),
      fc.integer({ min: 1, max: 50 }),
      (after, sequences, capacity) => {
        const window = new SequenceWindow(after, capacity)
        const out = sequences.flatMap((sequence) => {
          window.put(createMessage('a', sequence))
          return takeAll(window)
        })
        expect(out).toEqual(out.map((_, index) => after + 1 + index))
        expect(window.last).toBe(after + out.length)
        expect(window.hasGap).toBe(Math.max(after, ...sequences) > window.last)
        const given = new Set(sequences)
        if (capacity >= 40) expect(given.has(window.last + 1)).toBe(false)
      },
    ),
  )
})

test('when too many wait, those that are next are kept', () => {
  const window = new SequenceWindow(0, 3)
  for (const sequence of [9, 3, 5, 2, 4, 8]) window.put(createMessage('a', sequence))
  window.put(createMessage('a', 1))
  expect(takeAll(window)).toEqual([1, 2, 3])
  expect(window.hasGap).toBe(true)
})

test('what came before takes no room from what waits', () => {
  const window = new SequenceWindow(10, 3)
  for (const sequence of [1, 2, 3, 4, 13, 12, 11]) window.put(createMessage('a', sequence))
  expect(takeAll(window)).toEqual([11, 12, 13])
})

test('what waits is not replaced by another message of the same number', () => {
  const window = new SequenceWindow(0)
  const first = createMessage('a', 2)
  window.put(first)
  window.put({ ...createMessage('a', 2), content: 'another one' })
  window.put(createMessage('a', 1))
  window.take()
  expect(window.take()).toBe(first)
})
