import { expect, test } from 'vitest'
import { findOvertakers } from './find-overtakers.js'

const find = (...places: (number | undefined)[]) => findOvertakers(places, (place) => place)

test('finds none where places ascend, with gaps or without', () => {
  expect(find()).toEqual([])
  expect(find(1, 2, 7, 8)).toEqual([])
})

test('finds each that is before any of its predecessors, not only before the last', () => {
  expect(find(1, 5, 2, 3, 6)).toEqual([2, 3])
})

test('one that came too late makes overtakers of those before which it was sent', () => {
  expect(find(4, 1, 2, 3, 5)).toEqual([1, 2, 3])
})

test('leaves out what has no place', () => {
  expect(find(1, undefined, 3, undefined, 2)).toEqual([2])
})
