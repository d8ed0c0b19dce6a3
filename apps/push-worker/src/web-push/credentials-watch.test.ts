import { createRecordingLogger } from '@mono/test-support'
import { expect, test } from 'vitest'
import { createCredentialsWatch } from './credentials-watch.js'

const origin = 'https://push.example.com'

const at = (name: string | number, of = origin) => ({ origin: of, href: `${of}/${name}` })

function setUp() {
  const logger = createRecordingLogger()
  return { logger, watch: createCredentialsWatch({ logger }) }
}

const deferred = {
  result: { kind: 'defer', code: 'VAPID_REJECTED', delayMs: 60_000 },
  origin: { kind: 'refused', code: 'VAPID_REJECTED' },
}

const mismatch = {
  result: { kind: 'failed', code: 'VAPID_MISMATCH' },
  origin: { kind: 'refused', code: 'VAPID_MISMATCH' },
  countsRefusal: true,
}

test('a device that is refused before anybody was accepted waits, with one warning', () => {
  const { logger, watch } = setUp()
  for (const status of [403, 401, 403]) expect(watch.refused(at('bad'), status)).toEqual(deferred)
  expect(watch.refused(at('worse'), 403)).toEqual(deferred)
  expect(logger.lines.map(({ level, data }) => [level, data])).toEqual([['warn', { origin, status: 403 }]])
})

test('a push service that refuses ten devices and accepts none is one error line', () => {
  const { logger, watch } = setUp()
  for (let index = 1; index <= 20; index += 1) expect(watch.refused(at(index), 403)).toEqual(deferred)
  expect(logger.lines.map(({ level }) => level)).toEqual(['warn', 'error'])
  watch.accepted(at('good'))
  for (let index = 1; index <= 9; index += 1) expect(watch.refused(at(index), 403)).toEqual(mismatch)
  expect(watch.refused(at(10), 403)).toEqual(deferred)
  expect(logger.lines.map(({ level }) => level)).toEqual(['warn', 'error', 'error'])
})

test('a push service that accepts another device has nothing against us but this subscription', () => {
  const { logger, watch } = setUp()
  watch.accepted(at('good'))
  for (let count = 1; count <= 100; count += 1) expect(watch.refused(at('bad'), 403)).toEqual(mismatch)
  expect(watch.refused(at('bad', 'https://other.example.com'), 403)).toEqual(deferred)
  expect(logger.lines).toHaveLength(1)
})

test('that a device itself was accepted is no proof against it', () => {
  const { watch } = setUp()
  watch.accepted(at('device'))
  watch.accepted(at('device'))
  expect(watch.refused(at('device'), 403)).toEqual(deferred)
  watch.accepted(at('another'))
  expect(watch.refused(at('device'), 403)).toEqual(mismatch)
  expect(watch.refused(at('another'), 403)).toEqual(mismatch)
})
