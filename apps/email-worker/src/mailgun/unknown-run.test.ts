import { expect, test } from 'vitest'
import { SendError } from '../email-provider.js'
import { UnknownRun } from './unknown-run.js'

const { signal } = new AbortController()
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

test('four mails of unknown outcome are bad luck, five in a row are the last', async () => {
  await runOf(4).admit(signal)
  await expect(runOf(5).admit(signal)).rejects.toEqual(stop)
  const interrupted = runOf(4)
  interrupted.end()
  interrupted.add(lost)
  await interrupted.admit(signal)
})

test('after a probe, one more is enough', async () => {
  const run = runOf(9)
  run.allowTrial()
  const settle = await run.admit(signal)
  run.add(lost)
  settle()
  await expect(run.admit(signal)).rejects.toEqual(stop)
})

test('a probe of Mailgun that is well makes nothing worse', async () => {
  const run = runOf(0)
  run.allowTrial()
  run.add(lost)
  await Promise.all([run.admit(signal), run.admit(signal)])
})

test('the fifth goes alone; the others wait for its outcome', async () => {
  for (const isLost of [true, false]) {
    const run = runOf(4)
    const settle = await run.admit(signal)
    const others = Promise.allSettled([run.admit(signal), run.admit(signal)])
    if (isLost) run.add(lost)
    else run.end()
    settle()
    const expected = isLost ? { status: 'rejected', reason: stop } : { status: 'fulfilled' }
    expect(await others).toMatchObject([expected, expected])
  }
})

test('a mail that was cut short before it went lets the next one try', async () => {
  const run = runOf(4)
  const settle = await run.admit(signal)
  const next = run.admit(signal)
  settle()
  await next
})

test('whoever waits for the outcome may be told to stop', async () => {
  const run = runOf(4)
  await run.admit(signal)
  const stopping = new AbortController()
  const waiting = run.admit(stopping.signal)
  const reason = new Error('stopping')
  stopping.abort(reason)
  await expect(waiting).rejects.toBe(reason)
})
