import { expect, test } from 'vitest'
import { createDeviceWaits } from './device-waits.js'

function setUp() {
  const clock = { now: 1_000_000 }
  return { clock, waits: createDeviceWaits({ now: () => clock.now, random: () => 1 }) }
}

test('a device waits for as long as it was told, and no other does', () => {
  const { clock, waits } = setUp()
  expect(waits.begin('a', 3000)).toBe(3000)
  clock.now += 1000
  expect(waits.remainingMs('a')).toBe(2000)
  expect(waits.remainingMs('b')).toBeUndefined()
  clock.now += 2000
  expect(waits.remainingMs('a')).toBeUndefined()
})

test('a device that was told no time waits longer each time, up to a minute, until it is served', () => {
  const { waits } = setUp()
  const times = Array.from({ length: 6 }, () => waits.begin('a'))
  expect(times).toEqual([5000, 10_000, 20_000, 40_000, 60_000, 60_000])
  waits.end('a')
  expect(waits.begin('a')).toBe(5000)
})

test('however many wait, those that begin last are known', () => {
  const { waits } = setUp()
  for (let index = 0; index < 25_000; index += 1) waits.begin(`${index}`, 60_000)
  expect(waits.remainingMs('24999')).toBe(60_000)
  expect(waits.remainingMs('0')).toBeUndefined()
})
