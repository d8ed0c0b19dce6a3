import { createMessageQueue } from '@mono/message-queue'
import { migrate, printNumbers, type TestDatabase, test, waitFor } from '@mono/test-support'
import { describe, expect } from 'vitest'
import { bringBack } from './bring-back.js'
import { emailEnvironment } from './email-environment.js'

const count = 2_000
const recipients = Array.from({ length: count }, (_, index) => `user-${index}@example.com`)

/** Of 30 s, renewed every 10 s, so much is left at least when the process dies. */
const shortestLeaseMs = 15_000

interface Row {
  recipient: string
  state: string
  attempts: number
  previous_state: string | null
  last_code: string | null
  leased: boolean
}

const readLedger = (database: TestDatabase) =>
  database.query<Row & Record<string, unknown>>(
    `SELECT recipient, state, attempts, previous_state, last_code, coalesce(lease_until > now(), false) AS leased
     FROM email.deliveries`,
  )

const recipientsOf = (rows: readonly { recipient: string }[]) => rows.map(({ recipient }) => recipient).toSorted()

describe('two email workers, one of which is killed in the middle of 2,000 mails', () => {
  test.for(['resend', 'hold'] as const)(
    'with EMAIL_ON_UNKNOWN=%s: every mail is accounted for',
    { timeout: 240_000 },
    async (onUnknown, { vhost, database, smtpSink, workers, cleanUp }) => {
      await migrate('email-worker', database.url)
      // These have been handed over for a while before they are answered. Of twelve at least two are the killed worker's,
      // which has no more than ten connections.
      const held = recipients.slice(count * 0.3, count * 0.3 + 40)
      for (const address of held) smtpSink.answer(address, ['delay 5000'])
      const env = { ...emailEnvironment({ vhost, database, smtpSink }), EMAIL_ON_UNKNOWN: onUnknown }
      const [killed, survivor] = [workers.spawn('email-worker', env), workers.spawn('email-worker', env)]
      await Promise.all([killed.ready(), survivor.ready()])
      const messageQueue = createMessageQueue({ url: vhost.url, connectionName: 'test', deadlineMs: 30_000 })
      cleanUp(() => messageQueue.close())
      const sent = Promise.all(
        recipients.map((address, index) =>
          messageQueue.sendEmailMessage(
            { to: [address], subject: `Number ${index}`, text: 'Good morning', tenantId: 42 },
            { messageId: `mail-${index}` },
          ),
        ),
      )

      const since = performance.now()
      const countHeld = () => held.filter((address) => smtpSink.receivedBy(address).length > 0).length
      await waitFor(() => countHeld() >= 12, {
        what: 'mails that wait for their answer',
        timeoutMs: 60_000,
        intervalMs: 5,
      })
      killed.kill('SIGKILL')
      await killed.exited
      const killedAt = Date.now()
      const receivedAtKill = smtpSink.received.length
      await sent

      // The other one serves the rest; what is left are the claims of the dead one, until their leases end.
      await waitFor(
        async () => {
          const rows = await readLedger(database)
          return rows.length === count && rows.every(({ state, leased }) => state !== 'sending' || !leased)
        },
        { what: 'the leases of the dead worker to end', timeoutMs: 120_000, intervalMs: 200 },
      )
      const waiting = await bringBack(vhost, { atLeast: 0 })
      expect(waiting.map(({ headers }) => headers['x-attempts'] ?? 0)).toEqual(waiting.map(() => 0))
      const settled = await waitFor(
        async () => {
          const rows = await readLedger(database)
          return rows.every(({ state }) => state !== 'sending') && rows
        },
        { what: 'every mail to be settled', timeoutMs: 60_000 },
      )
      // What the killed one had done and not acknowledged comes once more, after all is done.
      await waitFor(async () => (await vhost.countMessages('email.notifications')) === 0, { what: 'an empty queue' })
      await waitFor(async () => (await survivor.metric('mono_in_flight')) === 0, { what: 'nothing to be in flight' })
      expect(await survivor.terminate()).toEqual({ code: 0, signal: null })

      const counts = smtpSink.counts()
      const servedTwice = recipients.filter((address) => counts.get(address) === 2).toSorted()
      const unknown = settled.filter(({ state }) => state === 'unknown')
      // Claimed, and claimed anew when the lease was over.
      const orphaned = settled.filter(({ previous_state }) => previous_state === 'sending')
      // Nobody else can have sent these: the leases went on.
      const wasHandedOver = (recipient: string) =>
        smtpSink.receivedBy(recipient).some(({ at }) => at < killedAt + shortestLeaseMs)
      const unrecorded = recipientsOf(orphaned.filter(({ recipient }) => wasHandedOver(recipient)))
      printNumbers(`email-worker killed, ${onUnknown}`, {
        pids: { killed: killed.pid, survivor: survivor.pid },
        mails: count,
        receivedAtKill,
        claimsOfTheDead: orphaned.length,
        handedOverAndNotRecorded: unrecorded.length,
        served: counts.size,
        servedTwice: servedTwice.length,
        unknown: unknown.length,
        unknownAndReceived: unknown.filter(({ recipient }) => counts.has(recipient)).length,
        doneMs: Math.round(performance.now() - since),
      })
      for (const { recipient, attempts, previous_state, last_code } of settled) {
        if (!servedTwice.includes(recipient) && !recipientsOf(unknown).includes(recipient)) continue
        const takenAt = smtpSink.receivedBy(recipient).map(({ at }) => at - killedAt)
        printNumbers(`email-worker killed, ${onUnknown}`, { recipient, attempts, previous_state, last_code, takenAt })
      }

      // Without these the rest would show nothing.
      expect(receivedAtKill).toBeLessThan(count)
      expect(unrecorded.length).toBeGreaterThan(0)
      // No claim but those was made twice.
      expect(recipientsOf(settled.filter(({ attempts }) => attempts > 1))).toEqual(recipientsOf(orphaned))
      if (onUnknown === 'resend') {
        expect(recipientsOf(settled.filter(({ state }) => state === 'sent'))).toEqual(recipients.toSorted())
        expect(counts.size).toBe(count)
        expect(servedTwice).toEqual(unrecorded)
        expect(smtpSink.received).toHaveLength(count + unrecorded.length)
        for (const address of servedTwice) {
          const [first, second, ...others] = smtpSink.receivedBy(address)
          expect([second?.messageId, others]).toEqual([first?.messageId, []])
        }
      } else {
        expect(servedTwice).toEqual([])
        expect(recipientsOf(unknown)).toEqual(recipientsOf(orphaned))
        expect(new Set(unknown.map(({ last_code }) => last_code))).toEqual(new Set(['CLAIM_EXPIRED']))
        expect(smtpSink.received).toHaveLength(count - orphaned.length + unrecorded.length)
        expect(counts.size).toBe(smtpSink.received.length)
      }
      for (const queue of ['', '.dlq', '.retry.60s', '.retry.15m']) {
        expect([queue, await vhost.countMessages(`email.notifications${queue}`)]).toEqual([queue, 0])
      }
    },
  )
})
