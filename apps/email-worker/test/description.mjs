// @ts-check
import { randomUUID } from 'node:crypto'

/** @type {import('@mono/test-support').WorkerDescription<import('@mono/message-queue').MessageQueue>} */
export const emailDescription = {
  name: 'email-worker',
  queue: 'email.notifications',
  exchange: 'notifications',
  routingKey: 'email.template',
  httpPort: 9103,
  createEnvironment: ({ smtpUrl }) => ({ SMTP_URL: smtpUrl, EMAIL_FROM: 'Mono <mono@example.com>' }),
  createPayload,
  send: (messageQueue, payload, messageId) => messageQueue.sendEmailNotification(payload, { messageId }),
  readEffects: async ({ listMails }) => (await listMails()).map(({ subject, at }) => ({ id: String(subject), at })),
  async sendExample({ messageQueue, mailCatcher, mailPage }) {
    const to = `${randomUUID()}@example.com`
    const { messageId } = await messageQueue.sendEmailNotification({
      to: [to],
      subject: 'Welcome to Mono',
      template: 'welcome',
      data: { userName: 'Ada' },
      tenantId: 42,
    })
    return {
      sent: `mail ${messageId}`,
      effects: [
        {
          where: 'mail catcher',
          async read() {
            const [received] = mailCatcher.receivedBy(to)
            return received && `${received.subject}, see ${mailPage}`
          },
        },
      ],
    }
  },
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
