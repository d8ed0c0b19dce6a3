import { createMessageQueue } from '@mono/message-queue'
import { migrate, printNumbers, test, waitFor } from '@mono/test-support'
import { expect } from 'vitest'
import { bringBack } from './bring-back.js'
import { openFarEnds, type ReceivedBy } from './failover/far-ends.js'

const count = 1_000

test('a replica that is killed while the first provider breaks: the other serves the rest, and twice only what was in doubt', {
  timeout: 180_000,
}, async ({ vhost, database, workers, cleanUp }) => {
  const farEnds = await openFarEnds(cleanUp)
  await migrate('email-worker', database.url)
  const replicas = [1, 2].map(() =>
    workers.spawn('email-worker', {
      RABBITMQ_URL: vhost.url,
      DATABASE_URL: database.url,
      EMAIL_PROVIDERS: 'smtp,mailgun',
      ...farEnds.env,
    }),
  )
  await Promise.all(replicas.map((replica) => replica.ready()))
  const messageQueue = createMessageQueue({ url: vhost.url, connectionName: 'test', deadlineMs: 60_000 })
  cleanUp(() => messageQueue.close())
  const sent = Promise.all(
    Array.from({ length: count }, (_, index) =>
      messageQueue.sendEmailMessage(
        { to: [`mail-${index}@example.com`], subject: `Mail ${index}`, text: 'Good morning', tenantId: 42 },
        { messageId: `mail-${index}` },
      ),
    ),
  )
  await waitFor(() => farEnds.received().length >= 200, { what: '200 mails', timeoutMs: 60_000, intervalMs: 5 })
  farEnds.smtpSink.answer('all', 'drop-after-data')
  const [victim, survivor] = replicas
  victim?.kill('SIGKILL')
  await victim?.exited
  await sent
  await waitFor(() => farEnds.received().some(({ provider }) => provider === 'mailgun'), {
    what: 'a mail by Mailgun',
    timeoutMs: 60_000,
  })
  farEnds.smtpSink.answer('all', 'accept')
  const readStates = () =>
    database.query<{ recipient: string; state: string; attempts: number; previous_state: string | null }>(
      'SELECT recipient, state, attempts, previous_state FROM email.deliveries',
    )
  const rows = await waitFor(
    async () => {
      await bringBack(vhost, { atLeast: 0 })
      const now = await readStates()
      return now.length === count && now.every(({ state }) => state === 'sent') && now
    },
    { what: 'every mail to be sent', timeoutMs: 120_000, intervalMs: 200 },
  )
  const byRecipient = new Map<string, ReceivedBy[]>()
  for (const mail of farEnds.received()) byRecipient.set(mail.to, [...(byRecipient.get(mail.to) ?? []), mail])
  const twice = [...byRecipient].filter(([, mails]) => mails.length > 1)
  const byTwo = twice.filter(([, mails]) => new Set(mails.map(({ provider }) => provider)).size > 1)
  const again = new Set(rows.filter(({ attempts }) => attempts > 1).map(({ recipient }) => recipient))
  printNumbers('failover, killed', {
    mails: count,
    served: byRecipient.size,
    triedAgain: again.size,
    twice: twice.length,
    byTwoProviders: byTwo.length,
    most: Math.max(...[...byRecipient.values()].map((mails) => mails.length)),
  })
  expect(byRecipient.size).toBe(count)
  for (const [recipient, mails] of twice) {
    expect(again).toContain(recipient)
    expect(new Set(mails.map(({ messageId }) => messageId)).size).toBe(1)
  }
  // By two go only mails whose claim ended with the killed process: nobody could record by whom they went.
  for (const [recipient] of byTwo) {
    expect(rows.find((row) => row.recipient === recipient)).toMatchObject({ previous_state: 'sending' })
  }
  await survivor?.terminate()
})
