import { expect, test } from 'vitest'
import { createSlots } from './slots.js'

const { signal } = new AbortController()

test('as many as there are slots go at once, the others in the order of their calls', async () => {
  const slots = createSlots(2)
  const started: number[] = []
  const taken = [0, 1, 2, 3].map(async (index) => {
    const give = await slots.take(signal)
    started.push(index)
    return give
  })
  const first = await taken[0]
  await taken[1]
  expect(started).toEqual([0, 1])
  first?.()
  await taken[2]
  expect(started).toEqual([0, 1, 2])
})

test('a slot given back twice makes room once', async () => {
  const slots = createSlots(1)
  const give = await slots.take(signal)
  give()
  give()
  const again = await slots.take(signal)
  let more = false
  const third = slots.take(signal).then((giveThird) => {
    more = true
    giveThird()
  })
  await Promise.resolve()
  expect(more).toBe(false)
  again()
  await third
})

test('who gives up leaves the line and takes no slot', async () => {
  const slots = createSlots(1)
  const give = await slots.take(signal)
  const controller = new AbortController()
  const reason = new Error('stop')
  const impatient = slots.take(controller.signal)
  const patient = slots.take(signal)
  controller.abort(reason)
  await expect(impatient).rejects.toBe(reason)
  give()
  expect(await patient).toBeTypeOf('function')
  await expect(slots.take(controller.signal)).rejects.toBe(reason)
})
