import { findIdFault } from '@mono/contracts'
import { expect, test, vi } from 'vitest'
import { createMessageId } from './create-message-id.js'

test('ids are UUIDs of version 7, and no two are the same', () => {
  const ids = Array.from({ length: 1_000 }, createMessageId)
  for (const id of ids) expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
  expect(new Set(ids).size).toBe(1_000)
  // Beside the time, that is: none repeats the random bytes of another.
  expect(new Set(ids.map((id) => id.slice(-12))).size).toBe(1_000)
  expect(findIdFault(ids[0])).toBeUndefined()
})

test('ids sort by the time they were made, and within a millisecond by their order', () => {
  vi.useFakeTimers({ now: 1_743_499_800_000 })
  const ids = Array.from({ length: 100 }, (_, index) => {
    if (index % 10 === 0) vi.advanceTimersByTime(1)
    return createMessageId()
  })
  vi.useRealTimers()
  expect([...ids].sort()).toEqual(ids)
})
