import { type PushDevice, waitFor } from '@mono/test-support'
import { expect } from 'vitest'
import { test } from './support/push-setup.js'

const print = (line: string) => process.stdout.write(`    ${line}\n`)

/** A fifth of what one push service with 200 devices has. */
const counts = { dead: 1, noisy: 1, removed: 1, good: 37 }
const notifications = 10
const retryAfterSeconds = 8

test('a few bad devices of a push service hold up none of the others', { timeout: 180_000 }, async ({
  push,
  database,
  vhost,
}) => {
  const service = await push.createService()
  const ids: Record<keyof typeof counts, string[]> = { dead: [], noisy: [], removed: [], good: [] }
  const noisy: PushDevice[] = []
  const userIds: string[] = []
  const register = async (kind: keyof typeof counts, device: PushDevice) => {
    const userId = `user-${userIds.length}`
    userIds.push(userId)
    ids[kind].push(await push.register(device, { userId }))
  }
  // The bad ones come first.
  for (let index = 0; index < counts.dead; index += 1) {
    const device = service.subscribe()
    service.answer(device, 403)
    await register('dead', device)
  }
  for (let index = 0; index < counts.noisy; index += 1) {
    const device = service.subscribe()
    service.answer(device, { status: 429, retryAfter: retryAfterSeconds })
    noisy.push(device)
    await register('noisy', device)
  }
  for (let index = 0; index < counts.removed; index += 1) {
    const endpoint = `https://permanently-removed.invalid/fcm/send/${index}`
    await register('removed', { ...service.subscribe(), endpoint })
  }
  for (let index = 0; index < counts.good; index += 1) await register('good', service.subscribe())
  const worker = await push.startWorker()

  const count = async (kind: keyof typeof counts, where: string) =>
    (await database.query(`SELECT FROM push.deliveries WHERE device_id = ANY($1) AND ${where}`, [ids[kind]])).length
  const times: number[] = []
  for (let index = 1; index <= notifications; index += 1) {
    const begun = Date.now()
    await push.send(`m${index}`, userIds)
    const where = `message_id = 'm${index}' AND state = 'sent'`
    await waitFor(async () => (await count('good', where)) === counts.good, { what: `m${index} at the good devices` })
    times.push(Date.now() - begun)
  }
  print(`${counts.good} good devices served, ${notifications} times, after ${times.join(', ')} ms`)
  expect(Math.max(...times)).toBeLessThan(5000)
  expect(await worker.metric('mono_push_origins_closed')).toBe(0)

  const disabled = async (kind: keyof typeof counts, reason: string) =>
    (await database.query('SELECT FROM push.devices WHERE id = ANY($1) AND disabled_reason = $2', [ids[kind], reason]))
      .length
  await waitFor(async () => (await disabled('dead', 'refused')) === counts.dead, {
    what: 'the dead to be disabled',
    timeoutMs: 90_000,
  })
  await waitFor(async () => (await disabled('removed', 'invalid-endpoint')) === counts.removed, {
    what: 'the removed to be disabled',
  })

  // Their time is up.
  for (const device of noisy) service.answer(device, 201)
  const begun = Date.now()
  await waitFor(async () => (await count('noisy', "state = 'sent'")) === notifications * counts.noisy, {
    what: 'the noisy to be served',
    timeoutMs: 90_000,
  })
  print(`noisy devices served with all ${notifications} after ${((Date.now() - begun) / 1000).toFixed(1)} s`)
  await waitFor(async () => (await vhost.countMessages('push.notifications')) === 0, { what: 'an empty queue' })
  await worker.terminate()

  const asked = (kind: 'dead' | 'noisy', answer: number) =>
    print(`${kind}: ${service.attempts.filter((attempt) => attempt.answer === answer).length} requests got ${answer}`)
  asked('dead', 403)
  asked('noisy', 429)
  const failed = await database.query("SELECT device_id FROM push.deliveries WHERE state = 'failed'")
  const bad = new Set([...ids.dead, ...ids.removed])
  expect(failed.filter(({ device_id }) => !bad.has(String(device_id)))).toEqual([])
  expect(await vhost.countMessages('push.notifications.dlq')).toBe(0)
  const tags = service.received.map(({ path, payload }) => `${path} ${JSON.parse(payload).tag}`)
  expect(new Set(tags).size).toBe(tags.length)
  expect(tags).toHaveLength(notifications * (counts.good + counts.noisy))
})
