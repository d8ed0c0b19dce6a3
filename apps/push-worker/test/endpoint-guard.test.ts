import { fileURLToPath } from 'node:url'
import { expect } from 'vitest'
import { test } from './support/push-setup.js'

test('endpoints that lead inside are refused, with a code, and nothing is asked', async ({ push, vhost }) => {
  const service = await push.createService()
  const { port } = service
  const { p256dh, auth } = service.subscribe()
  const endpoints: Record<string, string> = {
    http: `http://localhost:${port}/push/x`,
    loopback: `https://127.0.0.1:${port}/push/x`,
    'loopback in other words': `https://0x7f000001:${port}/push/x`,
    'loopback of IPv6': `https://[::1]:${port}/push/x`,
    metadata: 'https://169.254.169.254/latest/meta-data/',
    'another port': `https://localhost:${port + 1}/push/x`,
    'user information': `https://user:secret@localhost:${port}/push/x`,
    'another host': 'https://example.com/push/x',
    'no URL': 'push/x',
    // The name is known; the name server of this test says that it is 127.0.0.1, which it must not be.
    'a host that leads to a private address': 'https://inside.push.apple.com/push/x',
  }
  const ids = new Map<string, string>()
  for (const [name, endpoint] of Object.entries(endpoints)) {
    ids.set(name, await push.register({ endpoint, p256dh, auth }, { userId: name }))
  }
  const resolver = fileURLToPath(new URL('support/resolve-inside.mjs', import.meta.url))
  const worker = await push.startWorker({ NODE_OPTIONS: `--import=${resolver}` })
  for (const name of ids.keys()) await push.send(name, [name])
  for (const [name, id] of ids) await push.untilDelivery(name, id, { state: 'failed', last_code: 'ENDPOINT_REFUSED' })
  const dead = await vhost.drainQueue('push.notifications.dlq', ids.size)
  for (const { headers } of dead) expect(headers['x-failure-code']).toBe('ALL_RECIPIENTS_FAILED')
  expect(service.attempts).toHaveLength(0)
  // Only these can never be served, wherever the names lead.
  const invalid = ['http', 'user information', 'no URL']
  for (const [name, id] of ids) {
    const disabled_reason = invalid.includes(name) ? 'invalid-endpoint' : null
    expect([name, await push.device(id)]).toEqual([name, { disabled_reason }])
  }
  await worker.terminate()
  expect(worker.stderr).toBe('')
  expect(JSON.stringify(worker.logs)).not.toContain('/push/x')
})
