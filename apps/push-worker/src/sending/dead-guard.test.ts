import { createRecordingLogger } from '@mono/test-support'
import { expect, test } from 'vitest'
import { createDeadGuard } from './dead-guard.js'

const production = 'https://api.push.apple.com'
const sandbox = 'https://api.sandbox.push.apple.com'

function setUp() {
  let devices = 0
  const another = () => {
    devices += 1
    return `device-${devices}`
  }
  const logger = createRecordingLogger()
  let time = 0
  const guard = createDeadGuard({ channel: 'apns', logger, now: () => time })
  return {
    guard,
    errors: () => logger.lines.filter(({ level }) => level === 'error'),
    wait: (ms: number) => {
      time += ms
    },
    /** How many of these dead ones are believed. */
    die: (count: number, origin = production) =>
      Array.from({ length: count }, () => guard.believes(origin, { deviceId: another(), isDead: true })).filter(Boolean)
        .length,
    live: (count: number, origin = production) => {
      for (let index = 0; index < count; index += 1)
        expect(guard.believes(origin, { deviceId: another(), isDead: false })).toBe(false)
    },
  }
}

test('a few dead devices are believed, even if nothing else is heard', () => {
  const { guard, die, errors } = setUp()
  expect(die(20)).toBe(20)
  expect(guard.doubts).toBe(false)
  expect(errors()).toEqual([])
})

test('a channel that calls all devices dead is doubted, and that is said once a minute', () => {
  const { guard, die, errors, wait } = setUp()
  expect(die(1000)).toBe(20)
  expect(guard.doubts).toBe(true)
  expect(errors()).toMatchObject([{ data: { channel: 'apns', answers: 21, dead: 21 } }])
  wait(59_000)
  expect(die(1)).toBe(0)
  wait(1000)
  die(100)
  expect(errors()).toHaveLength(2)
})

test('a fifth is believed, also when some of them come in a row', () => {
  const { die, live } = setUp()
  let believed = 0
  for (let round = 0; round < 50; round += 1) {
    believed += die(5)
    live(20)
  }
  expect(believed).toBe(250)
})

test('a third is not', () => {
  const { guard, die, live } = setUp()
  for (let round = 0; round < 100; round += 1) {
    die(1)
    live(2)
  }
  expect(guard.doubts).toBe(true)
  expect(die(1)).toBe(0)
})

test('is believed again when others have answered for a minute, or after an hour', () => {
  const { guard, die, live, wait } = setUp()
  die(100)
  wait(60_000)
  expect(guard.doubts).toBe(true)
  live(50)
  expect(guard.doubts).toBe(false)
  expect(die(1)).toBe(1)
  die(100)
  wait(60 * 60_000)
  expect(guard.doubts).toBe(false)
})

test('is doubted as well where a few die in each minute, and nobody lives', () => {
  const { die, wait } = setUp()
  let believed = 0
  for (let minute = 0; minute < 60; minute += 1) {
    believed += die(5)
    wait(60_000)
  }
  expect(believed).toBeLessThanOrEqual(21)
})

test('a device counts once, however many messages it is called dead for', () => {
  const { guard, errors } = setUp()
  const said = Array.from({ length: 100 }, () => guard.believes(production, { deviceId: 'one', isDead: true }))
  expect(said.every(Boolean)).toBe(true)
  expect([guard.doubts, errors()]).toEqual([false, []])
})

test('one origin is doubted that calls all of its few devices dead, and the other is not', () => {
  const { guard, die, live } = setUp()
  live(1000)
  expect(die(100, sandbox)).toBe(20)
  expect(die(1)).toBe(1)
  expect(guard.doubts).toBe(true)
})

test('so are all origins when each calls a few too many dead', () => {
  const { die } = setUp()
  expect([die(15), die(15, sandbox), die(1)]).toEqual([15, 5, 0])
})
