import { createMessageQueue } from '@mono/message-queue'
import { migrate, printNumbers, test, waitFor } from '@mono/test-support'
import { describe, expect } from 'vitest'
import { bringBack } from './bring-back.js'
import { openFarEnds } from './failover/far-ends.js'

describe('while both are away', { timeout: 120_000 }, () => {
  test.for(['smtp', 'mailgun'] as const)(
    'nothing is lost, /readyz has the words of both, and when %s is back every mail goes by it once',
    async (back, { vhost, database, workers, cleanUp }) => {
      const count = 300
      const { smtpProxy, mailgun, env, received } = await openFarEnds(cleanUp)
      await migrate('email-worker', database.url)
      const worker = workers.spawn('email-worker', { RABBITMQ_URL: vhost.url, DATABASE_URL: database.url, ...env })
      await worker.ready()
      await smtpProxy.refuse()
      mailgun.answer('all', { status: 401, body: 'Forbidden' })
      const messageQueue = createMessageQueue({ url: vhost.url, connectionName: 'test', deadlineMs: 60_000 })
      cleanUp(() => messageQueue.close())
      await Promise.all(
        Array.from({ length: count }, (_, index) =>
          messageQueue.sendEmailMessage(
            { to: [`mail-${index}@example.com`], subject: 'Hello', text: 'Good morning', tenantId: 42 },
            { messageId: `mail-${index}` },
          ),
        ),
      )
      const words = /smtp: .*ECONNREFUSED.*; mailgun: .*Forbidden/
      await waitFor(async () => words.test(await (await fetch(`${worker.httpUrl}/readyz`)).text()), {
        what: `/readyz to say ${words}`,
      })
      expect(await worker.metric('mono_breaker_open', { dependency: 'providers' })).toBe(1)
      expect(received()).toEqual([])

      if (back === 'smtp') await smtpProxy.accept()
      else mailgun.answer('all', 200)
      const since = Date.now()
      const rows = await waitFor(
        async () => {
          await bringBack(vhost, { atLeast: 0 })
          const now = await database.query<{ state: string; provider: string; attempts: number }>(
            'SELECT state, provider FROM email.deliveries',
          )
          return now.length === count && now.every(({ state }) => state === 'sent') && now
        },
        { what: 'every mail to be sent', timeoutMs: 60_000, intervalMs: 200 },
      )
      const mails = received()
      const firstMs = Math.min(...mails.map(({ at }) => at)) - since
      printNumbers(`failover: both are away, ${back} comes back`, { mails: count, firstMs, allMs: Date.now() - since })
      expect(new Set(rows.map(({ provider }) => provider))).toEqual(new Set([back]))
      expect(mails).toHaveLength(count)
      expect(new Set(mails.map(({ to }) => to)).size).toBe(count)
      await worker.ready()
      await worker.terminate()
      for (const queue of ['', '.dlq', '.retry.60s', '.retry.15m']) {
        expect([queue, await vhost.countMessages(`email.notifications${queue}`)]).toEqual([queue, 0])
      }
    },
  )
})
