// @ts-check
import { randomUUID } from 'node:crypto'

/** @type {import('@mono/test-support').WorkerDescription<import('@mono/message-queue').MessageQueue>} */
export const emailDescription = {
  name: 'email-worker',
  queue: 'email.notifications',
  exchange: 'notifications',
  routingKey: 'email.template',
  httpPort: 9103,
  createEnvironment: ({ smtpUrl, mailgun, certificateFile }) => ({
    SMTP_URL: smtpUrl,
    EMAIL_FROM: 'Mono <mono@example.com>',
    ...(mailgun && { ...mailgun, NODE_EXTRA_CA_CERTS: certificateFile }),
  }),
  createPayload,
  send: (messageQueue, payload, messageId) => messageQueue.sendEmailNotification(payload, { messageId }),
  readEffects: async ({ listMails }) => (await listMails()).map(({ subject, at }) => ({ id: String(subject), at })),
  async sendExample(stage) {
    const example = await sendWelcome(stage, { where: 'mail catcher', taker: stage.mailCatcher })
    return { ...example, sendNext: () => sendDetour(stage) }
  },
}

/**
 * Goes by Mailgun, because the mail server is away.
 * @param {import('@mono/test-support').ExampleStage<import('@mono/message-queue').MessageQueue>} stage
 */
async function sendDetour(stage) {
  const { mailCatcher, mailgunService } = stage
  await mailCatcher.stop()
  const { sent, effects } = await sendWelcome(stage, { where: 'Mailgun', taker: mailgunService })
  return { sent: `${sent}, SMTP away`, effects, end: () => mailCatcher.start() }
}

/**
 * @param {import('@mono/test-support').ExampleStage<import('@mono/message-queue').MessageQueue>} stage
 * @param {{ where: string, taker: Pick<import('@mono/test-support').SmtpSink, 'receivedBy'> }} expected
 */
async function sendWelcome({ messageQueue, mailPage }, { where, taker }) {
  const to = `${randomUUID()}@example.com`
  const { messageId } = await messageQueue.sendEmailNotification({
    to: [to],
    subject: 'Welcome to Mono',
    template: 'welcome',
    data: { userName: 'Ada' },
    tenantId: 42,
  })
  const read = async () => {
    const [received] = taker.receivedBy(to)
    return received && `${received.subject}, see ${mailPage}`
  }
  return { sent: `mail ${messageId}`, effects: [{ where, read }] }
}

/** No two mails go to the same. @param {number} index */
export const addressOf = (index) => `recipient-${index}@example.com`

/**
 * The mail with this number. The message id is its subject.
 * @param {number} index
 * @param {string} messageId
 */
export function createPayload(index, messageId) {
  return {
    to: [addressOf(index)],
    subject: '',
    template: 'notification',
    data: { title: messageId, body: 'Good morning' },
    tenantId: 42,
  }
}
