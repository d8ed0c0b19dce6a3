import { expect, test } from 'vitest'
import { waitFor } from './wait-for.js'

test('the first truthy answer is returned', async () => {
  const answers = [undefined, 0, '', 'here']
  expect(await waitFor(() => answers.shift(), { what: 'an answer', intervalMs: 1 })).toBe('here')
})

test('a condition that throws counts as not yet', async () => {
  let asked = 0
  const condition = async () => {
    asked += 1
    if (asked < 3) throw new Error('not there')
    return asked
  }
  expect(await waitFor(condition, { what: 'the third asking', intervalMs: 1 })).toBe(3)
})

test('the error says what was awaited and the last value', async () => {
  await expect(waitFor(() => 0, { what: 'a message', timeoutMs: 5, intervalMs: 1 })).rejects.toThrow(
    'Timed out after 5 ms waiting for a message; last value: 0',
  )
})

test('the error says the last error and keeps it as its cause', async () => {
  const cause = new Error('refused')
  const waiting = waitFor(() => Promise.reject(cause), { what: 'a connection', timeoutMs: 5, intervalMs: 1 })
  await expect(waiting).rejects.toMatchObject({ message: expect.stringContaining('last error: refused'), cause })
})

test('a condition that never answers does not outlast the time', async () => {
  const waiting = waitFor(() => new Promise<boolean>(() => undefined), { what: 'an answer', timeoutMs: 20 })
  await expect(waiting).rejects.toThrow('the condition itself was still pending')
})
