// @ts-check
import { createDeliveryComparison } from './delivery.mjs'
import { inGroups } from './in-groups.mjs'
import { addressOf, createMail } from './mail.mjs'
import { compareMailgun } from './mailgun.mjs'
import { withSink } from './sink-child.mjs'

const nearCount = 3_000
const connections = 10
/** Of a server that is not on this machine: until a command is answered, and until the mail is taken. */
const distant = { count: 1_000, commandMs: 20, finalDotMs: 30 }
const from = 'Mono <mono@example.com>'

/**
 * Sends mails: one to a message, as an application mostly sends them, to a server on this machine and to a distant one; and
 * many to a message; and the same by Mailgun.
 * @param {import('./push.mjs').Means} means
 * @param {{ compare: import('./push.mjs').Compare, signal: AbortSignal }} options
 * @returns {Promise<boolean>}
 */
export async function compareEmail(means, { compare, signal }) {
  const { commandMs, finalDotMs } = distant
  const isNearHeld = await withSink('bench/mail-sink.mjs', { signal }, async (sink) => {
    const held = await compare(create(sink, { perMessage: 1, bar: 0.85 }))
    await compare(create(sink, { perMessage: 100 }))
    return held
  })
  const args = [String(commandMs), String(finalDotMs)]
  const isDistantHeld = await withSink('bench/mail-sink.mjs', { args, signal }, async (sink) => {
    const where = `answers after ${commandMs} and ${finalDotMs} ms`
    return await compare(create(sink, { perMessage: 1, bar: 0.9, count: distant.count, where }))
  })
  const isMailgunHeld = await compareMailgun(means, { compare, signal })
  return isNearHeld && isDistantHeld && isMailgunHeld

  /**
   * @param {import('./sink-child.mjs').Sink} sink
   * @param {{ perMessage: number, bar?: number, count?: number, where?: string }} options
   */
  function create(sink, { perMessage, bar, count = nearCount, where = 'answers at once' }) {
    const addresses = Array.from({ length: count }, (_, index) => addressOf(index))
    const mails = `${count.toLocaleString('en')} mails, ${perMessage} to a message, ${connections} connections, ${where}`
    return createDeliveryComparison(
      {
        title: `email: email-worker against a nodemailer pool, ${mails}`,
        bar,
        count,
        queue: 'email.notifications',
        ledger: 'email.deliveries',
        publish: (messageQueue) =>
          inGroups(addresses, perMessage).map((to) => messageQueue.sendEmailMessage(createMail(to))),
        worker: {
          script: 'apps/email-worker/dist/main.js',
          env: { SMTP_URL: `smtp://127.0.0.1:${sink.port}?maxConnections=${connections}`, EMAIL_FROM: from },
        },
        reference: { script: 'bench/reference-email.mjs', args: [sink.port, from, count, connections] },
      },
      { ...means, sink },
    )
  }
}
