import { describe, expect, test } from 'vitest'
import { PrefetchBySize } from './prefetch-by-size.js'

const mebibyte = 1024 * 1024

describe('the prefetch that fits into memory', () => {
  test('is known from the first delivery', () => {
    const sizes = new PrefetchBySize()
    expect(sizes.notice(mebibyte)).toBe(true)
    expect(sizes.limit).toBe(8)
  })

  test('does not follow every delivery', () => {
    const sizes = new PrefetchBySize()
    sizes.notice(1_000)
    const changes = Array.from({ length: 1_000 }, (_, index) => sizes.notice(800 + (index % 400)))
    expect(changes.filter(Boolean)).toEqual([])
  })

  test('falls after a few large ones, and rises again after many small ones', () => {
    const sizes = new PrefetchBySize()
    for (let index = 0; index < 1_000; index += 1) sizes.notice(1_000)
    for (let index = 0; index < 10; index += 1) sizes.notice(mebibyte)
    expect(sizes.limit).toBeLessThan(50)
    for (let index = 0; index < 1_000; index += 1) sizes.notice(1_000)
    expect(sizes.limit).toBeGreaterThan(5_000)
  })

  test('is at least one', () => {
    const sizes = new PrefetchBySize()
    sizes.notice(100 * mebibyte)
    expect(sizes.limit).toBe(1)
    sizes.notice(0)
    expect(sizes.limit).toBeGreaterThanOrEqual(1)
  })
})
