import { fileURLToPath } from 'node:url'
import { examples } from '@mono/contracts'
import { test, waitFor } from '@mono/test-support'
import { describe, expect } from 'vitest'
import { openMessageQueue } from './open-message-queue.js'
import { startRestartingProcess } from './support/restarting-process.js'

const script = fileURLToPath(new URL('./support/crashing-worker.mjs', import.meta.url))
const innocents = Array.from({ length: 500 }, (_, n) => `innocent-${n}`)
const deliveryLimit = 20
const timeLimitMs = 480_000

describe('two replicas that are restarted whenever they die', () => {
  test.for([
    { intake: 'messages', diesWhile: 'handling', deadly: ['deadly-a', 'deadly-b'] },
    { intake: 'messages', diesWhile: 'reading', deadly: ['deadly-a', 'deadly-b'] },
    { intake: 'batches', diesWhile: 'handling', deadly: ['deadly-a'] },
  ])(
    'lose to the dead-letter queue the messages that they die of while $diesWhile them, and no other, with an intake of $intake',
    { timeout: timeLimitMs },
    async ({ intake, diesWhile, deadly }, { vhost, cleanUp }) => {
      const sending = openMessageQueue({ vhost, cleanUp })
      const consumer = await sending.consumeMessages('push.notifications', async () => {})
      await consumer.close()
      for (const messageId of [...innocents.slice(0, 120), ...deadly, ...innocents.slice(120)]) {
        const body = messageId.startsWith('deadly') ? 'deadly' : 'hello'
        await sending.sendPushNotification({ ...examples['push.notification'], title: messageId, body }, { messageId })
      }

      const done = new Set<unknown>()
      const deaths: { dies: unknown; inHand: number }[] = []
      const onLine = (line: Record<string, unknown>) => {
        if ('done' in line) done.add(line.done)
        else deaths.push(line as (typeof deaths)[number])
      }
      const env = { RABBITMQ_URL: vhost.url, INTAKE: intake, DIES_WHILE: diesWhile }
      const replicas = [1, 2].map(() => startRestartingProcess(script, env, onLine))
      cleanUp(() => Promise.all(replicas.map((replica) => replica.stop())))

      const givenUp = waitFor(async () => (await vhost.countMessages('push.notifications.dlq')) >= deadly.length, {
        what: 'the deadly messages to be given up',
        timeoutMs: timeLimitMs - 20_000,
        intervalMs: 250,
      })
      await Promise.race([givenUp, ...replicas.map(({ failed }) => failed)])
      await waitFor(() => done.size === innocents.length, { what: 'all others to be done', timeoutMs: 30_000 })
      await Promise.all(replicas.map((replica) => replica.stop()))

      const alone = deaths.filter(({ inHand }) => inHand === 1).length
      // biome-ignore lint/suspicious/noConsole: the numbers are what the test is about
      console.log(`crash loop, ${intake}, ${diesWhile}: ${deaths.length} deaths, ${alone} with nothing else in flight`)
      const letters = await vhost.drainQueue('push.notifications.dlq', deadly.length)
      expect(letters.map(({ properties }) => properties.messageId).sort()).toEqual(deadly)
      expect(letters.map(({ headers }) => headers['x-death'])).toEqual(
        deadly.map(() => [expect.objectContaining({ reason: 'delivery_limit' })]),
      )
      expect(await vhost.countMessages('push.notifications.dlq')).toBe(0)
      expect(await vhost.countMessages('push.notifications')).toBe(0)
      expect(done).toEqual(new Set(innocents))
      // Each is delivered once, and as often again as the limit says.
      expect(deaths.length).toBeLessThanOrEqual(deadly.length * (deliveryLimit + 1))
      expect(alone / deaths.length).toBeGreaterThanOrEqual(0.75)
    },
  )
})
