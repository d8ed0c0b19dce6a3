import { expect, test } from 'vitest'
import { createWakeUp } from './wake-up.js'

const never = 2 ** 31 - 1

test('whoever waits goes on when it is rung', async () => {
  const wakeUp = createWakeUp()
  const waiting = wakeUp.wait(never)
  wakeUp.ring()
  await waiting
})

test('a ring while nobody waits is kept for the next, and for that one only', async () => {
  const wakeUp = createWakeUp()
  wakeUp.ring()
  wakeUp.ring()
  await wakeUp.wait(never)
  let isOver = false
  const next = wakeUp.wait(never).finally(() => {
    isOver = true
  })
  await Promise.resolve()
  expect(isOver).toBe(false)
  wakeUp.ring()
  await next
})

test('without a ring the time ends it', async () => {
  await createWakeUp().wait(1)
})
