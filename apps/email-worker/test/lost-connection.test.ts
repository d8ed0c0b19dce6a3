import { migrate, printNumbers, type TestDatabase, test, waitFor } from '@mono/test-support'
import { describe, expect } from 'vitest'
import { bringBack } from './bring-back.js'
import { createDkimKey, toDkimEnvironment } from './dkim-key.js'
import { emailEnvironment } from './email-environment.js'

const to = 'ada@example.com'

async function readState(database: TestDatabase): Promise<string> {
  const [row] = await database.query<{ state: string }>(
    "SELECT concat_ws(' ', state, last_code) AS state FROM email.deliveries",
  )
  return row?.state ?? ''
}

describe.for([
  { mail: 'a mail', dkim: {} },
  { mail: 'a signed mail', dkim: toDkimEnvironment(createDkimKey()) },
])('the mail server drops the connection of $mail', ({ mail, dkim }) => {
  test.for([
    { when: 'before DATA', answer: 'drop-before-data', onUnknown: 'hold', becomes: 'sent', mails: 1 },
    // Whether the end of the mail had been handed over by then decides.
    { when: 'in the middle', answer: 'drop-in-data', onUnknown: 'resend', becomes: 'sent or retry', mails: 1 },
    { when: 'in the middle', answer: 'drop-in-data', onUnknown: 'hold', becomes: 'sent or unknown', mails: undefined },
    { when: 'after the final dot', answer: 'drop-after-data', onUnknown: 'resend', becomes: 'retry', mails: 2 },
    { when: 'after the final dot', answer: 'drop-after-data', onUnknown: 'hold', becomes: 'unknown', mails: 1 },
  ] as const)(
    '$when, with $onUnknown: $becomes',
    async ({ when, answer, onUnknown, becomes, mails }, { vhost, database, smtpSink, workers }) => {
      await migrate('email-worker', database.url)
      smtpSink.answer('all', [answer])
      const env = { ...emailEnvironment({ vhost, database, smtpSink }), ...dkim, EMAIL_ON_UNKNOWN: onUnknown }
      const worker = workers.spawn('email-worker', env)
      await worker.ready()
      const text = 'a line of text\n'.repeat(when === 'in the middle' ? 60_000 : 1)
      const body = { to: [to], subject: 'Hello', text, tenantId: 42 }
      await vhost.publish('notifications', 'email.send', body, { messageId: 'dropped' })
      const settled = (outcome: string) => worker.metric('mono_deliveries_total', { outcome })
      const isTried = async () => (await settled('acked')) + (await settled('retried')) === 1
      await waitFor(isTried, { what: 'the mail to be tried', timeoutMs: 20_000 })

      const stateAfterDrop = await readState(database)
      const [state, code] = stateAfterDrop.split(' ')
      const receivedByDrop = smtpSink.received.length
      if (state === 'retry') {
        const [waiting] = await bringBack(vhost, { atLeast: 1 })
        expect(waiting?.headers['x-attempts']).toBe(1)
        await waitFor(async () => (await settled('acked')) === 1, { what: 'the message to be acknowledged' })
      }
      const stateInTheEnd = await readState(database)
      expect(await worker.terminate()).toEqual({ code: 0, signal: null })
      printNumbers(`email-worker, connection of ${mail} dropped ${when}, ${onUnknown}`, {
        stateAfterDrop,
        stateInTheEnd,
        received: smtpSink.received.length,
      })

      expect(becomes.split(' or ')).toContain(state)
      // In the middle the client may be told by its own write.
      const lost = when === 'in the middle' ? /^(ECONNECTION|ESOCKET_(EPIPE|ECONNRESET))$/ : /^ECONNECTION$/
      expect(code ?? '').toMatch(state === 'sent' ? /^$/ : lost)
      expect(receivedByDrop).toBe(answer === 'drop-after-data' || state === 'sent' ? 1 : 0)
      expect(stateInTheEnd).toBe(state === 'retry' ? 'sent' : stateAfterDrop)
      expect(smtpSink.received).toHaveLength(mails ?? (state === 'unknown' ? 0 : 1))
      // The same Message-ID each time, so that the receiving side can tell.
      expect(new Set(smtpSink.received.map(({ messageId }) => messageId)).size).toBeLessThanOrEqual(1)
      for (const queue of ['', '.dlq', '.retry.60s', '.retry.15m']) {
        expect([queue, await vhost.countMessages(`email.notifications${queue}`)]).toEqual([queue, 0])
      }
    },
  )
})
