import { createMessageQueue } from '@mono/message-queue'
import type { FarEnd, SmtpSink, TestDatabase, WorkerUnderTest } from '@mono/test-support'
import { createSmtpSink } from '@mono/test-support/sinks'
import { expect } from 'vitest'
import { addressOf, createPayload, emailDescription } from './description.mjs'

export const numberedMail = (index: number) => createPayload(index, `mail-${index}`)

interface MailServer extends FarEnd {
  smtpSink: SmtpSink
}

export const emailWorker: WorkerUnderTest<MailServer> = {
  ...emailDescription,
  table: 'email.deliveries',
  done: "state = 'sent'",
  skipsDone: true,
  requires: ['SMTP_URL', 'EMAIL_FROM'],
  async openFarEnd({ cleanUp }) {
    const smtpSink = await createSmtpSink()
    cleanUp(() => smtpSink.close())
    return { env: { SMTP_URL: smtpSink.url, EMAIL_FROM: 'mono@example.com' }, smtpSink }
  },
  createBody: numberedMail,
  foreign: {
    messages: [
      foreignMail(0, { subject: 'Data is null', template: 'notification', data: null }),
      foreignMail(1, { subject: 'Data is empty', template: 'notification', data: [] }),
      foreignMail(2, { subject: 'Data is not there', template: 'notification' }),
      foreignMail(3, {
        subject: 'Link is null',
        template: 'notification',
        data: { body: 'text', link: null, orderId: 7 },
      }),
      foreignMail(4, { subject: 'Html is null', text: 'text', html: null }, 'email.send'),
      foreignMail(5, { subject: 'Text is null', text: null, html: '<p>html</p>' }, 'email.send'),
    ],
    readEffects: async ({ farEnd: { smtpSink } }) => smtpSink.received.map(({ to, subject }) => ({ to, subject })),
  },
  openSender({ vhost, cleanUp }) {
    const messageQueue = createMessageQueue({ url: vhost.url, connectionName: 'test', deadlineMs: 30_000 })
    cleanUp(() => messageQueue.close())
    return (index) => emailDescription.send(messageQueue, numberedMail(index), `mail-${index}`)
  },
  async watchEffects({ database, farEnd: { smtpSink } }) {
    return {
      async countHandled() {
        return smtpSink.received.length
      },
      async expectOnce(count, { killed = false } = {}) {
        const triedAgain = await expectRecorded(database, count)
        if (!killed) expect(triedAgain).toEqual(new Set())
        expectReceived(smtpSink, { count, mayBeTwice: triedAgain })
      },
    }
  },
}

function foreignMail(
  index: number,
  fields: { subject: string; [field: string]: unknown },
  routingKey = 'email.template',
) {
  const to = [addressOf(index)]
  return { routingKey, body: { to, tenantId: 42, ...fields, replyTo: null }, effect: { to, subject: fields.subject } }
}

/** Each once and sent. Resolves with the recipients who were claimed more than once. */
async function expectRecorded(database: TestDatabase, count: number): Promise<Set<string>> {
  const rows = await database.query<{ recipient: string; state: string; attempts: number }>(
    'SELECT recipient, state, attempts FROM email.deliveries',
  )
  const recorded = rows.map(({ recipient, state }) => `${recipient} ${state}`)
  expect(recorded.toSorted()).toEqual(
    Array.from({ length: count }, (_, index) => `${addressOf(index)} sent`).toSorted(),
  )
  return new Set(rows.filter(({ attempts }) => attempts > 1).map(({ recipient }) => recipient))
}

/** Each at its own address and at no other, once. Who was claimed more than once may have the very same mail twice. */
function expectReceived(smtpSink: SmtpSink, { count, mayBeTwice }: { count: number; mayBeTwice: Set<string> }): void {
  expect(smtpSink.counts().size).toBe(count)
  for (let index = 0; index < count; index++) {
    const address = addressOf(index)
    const mails = smtpSink.receivedBy(address)
    expect([address, mails.length]).toEqual([address, mayBeTwice.has(address) ? Math.min(mails.length, 2) : 1])
    expect(new Set(mails.map(({ messageId }) => messageId)).size).toBe(1)
    expect(mails[0]).toMatchObject({ to: [address], subject: `mail-${index}` })
    expect(mails[0]?.text).toContain('Good morning')
  }
}
