import { waitFor } from '@mono/test-support'
import { expect } from 'vitest'
import { test } from './support/push-setup.js'

test('a push service that calls all devices dead has few of them disabled, and another message goes out', async ({
  push,
  database,
}) => {
  const [dead, alive] = [await push.createService(), await push.createService()]
  dead.answer('all', 410)
  for (let index = 0; index < 100; index += 1) await push.register(dead.subscribe(), { userId: 'ada' })
  const good = await push.register(alive.subscribe(), { userId: 'ada' })
  const worker = await push.startWorker()
  await push.send('m1', ['ada'])
  await push.untilDelivery('m1', good, { state: 'sent' })
  await waitFor(async () => (await worker.metric('mono_push_outcomes_total', { code: 'GONE' })) === 100, {
    what: 'the answers of all',
  })
  const disabled = await database.query('SELECT FROM push.devices WHERE disabled_reason IS NOT NULL')
  expect(disabled).toHaveLength(20)
  expect(await worker.metric('mono_push_devices_disabled_total', { channel: 'web' })).toBe(20)
  expect(await worker.metric('mono_push_disabling_stopped', { channel: 'web' })).toBe(1)
  expect(worker.logs.filter(({ level }) => level === 'error')).toMatchObject([{ channel: 'web', dead: 21 }])
  expect(await worker.terminate()).toEqual({ code: 0, signal: null })
})
