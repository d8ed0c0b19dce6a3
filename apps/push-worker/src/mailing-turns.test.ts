import { expect, onTestFinished, test, vi } from 'vitest'
import { createMailingTurns } from './mailing-turns.js'

const { signal } = new AbortController()

test('messages for many users wait for each other, and those for few wait for nobody', async () => {
  vi.useFakeTimers()
  onTestFinished(() => void vi.useRealTimers())
  const turns = createMailingTurns()
  const leaves = [
    await turns.enter({ tenantId: 1, users: 4_999 }, signal),
    await turns.enter({ tenantId: 1, users: 10_000 }, signal),
  ]
  const late = expect(turns.enter({ tenantId: 1, users: 101 }, signal)).rejects.toMatchObject({ name: 'DeferError' })
  const few = await turns.enter({ tenantId: 1, users: 100 }, signal)
  few()
  await vi.advanceTimersByTimeAsync(60_000)
  await late
  for (const leave of leaves) leave()
  const leave = await turns.enter({ tenantId: 1, users: 101 }, signal)
  leave()
  expect(vi.getTimerCount()).toBe(0)
})
