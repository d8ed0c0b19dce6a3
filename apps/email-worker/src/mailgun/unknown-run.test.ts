import { expect, test } from 'vitest'
import { SendError } from '../email-provider.js'
import { UnknownRun } from './unknown-run.js'

const lost = new SendError('its answer was lost', { outcome: 'unknown', code: 'TIMEOUT' })
const stop = expect.objectContaining({
  outcome: 'provider',
  code: 'TIMEOUT',
  message: expect.stringMatching(/its answer was lost$/),
})

function runOf(length: number) {
  const run = new UnknownRun()
  for (let index = 0; index < length; index += 1) run.add(lost)
  return run
}

test('four mails of unknown outcome are bad luck, five in a row are the last', () => {
  runOf(4).assertShort()
  expect(() => runOf(5).assertShort()).toThrow(stop)
  const interrupted = runOf(4)
  interrupted.end()
  interrupted.add(lost)
  interrupted.assertShort()
})

test('after a probe, one more is enough', () => {
  const run = runOf(9)
  run.allowTrial()
  run.assertShort()
  run.add(lost)
  expect(() => run.assertShort()).toThrow(stop)
})

test('a probe of Mailgun that is well makes nothing worse', () => {
  const run = runOf(0)
  run.allowTrial()
  run.add(lost)
  run.assertShort()
})
