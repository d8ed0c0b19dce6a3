import { expect, test } from 'vitest'
import { splitBySize } from './split-by-size.js'

const split = (sizes: number[]) => splitBySize(sizes, { sizeOf: (size) => size, maxSize: 10 })

test('what fits stays together, in order', () => {
  expect(split([3, 3, 4, 1, 9, 1])).toEqual([[3, 3, 4], [1, 9], [1]])
})

test('an item that is too large stands alone', () => {
  expect(split([1, 11, 1])).toEqual([[1], [11], [1]])
})

test('nothing gives nothing', () => {
  expect(split([])).toEqual([])
})
