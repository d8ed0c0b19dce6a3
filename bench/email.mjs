// @ts-check
import { createDeliveryComparison } from './delivery.mjs'
import { inGroups } from './in-groups.mjs'
import { addressOf, createMail } from './mail.mjs'
import { withSink } from './sink-child.mjs'

const count = 3_000
const connections = 10
const from = 'Mono <mono@example.com>'

/**
 * Sends mails to a server on this machine: one to a message, as an application mostly sends them, and many.
 * @param {import('./push.mjs').Means} means
 * @param {{ compare: import('./push.mjs').Compare, signal: AbortSignal }} options
 * @returns {Promise<boolean>}
 */
export async function compareEmail(means, { compare, signal }) {
  const addresses = Array.from({ length: count }, (_, index) => addressOf(index))
  return await withSink('bench/mail-sink.mjs', { signal }, async (sink) => {
    const create = (/** @type {number} */ perMessage, /** @type {number | undefined} */ bar) =>
      createDeliveryComparison(
        {
          title: `email: email-worker against a nodemailer pool, ${describe(perMessage)}`,
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
    const held = await compare(create(1, 0.85))
    await compare(create(100, undefined))
    return held
  })
}

/** @param {number} perMessage */
function describe(perMessage) {
  return `${count.toLocaleString('en')} mails, ${perMessage} to a message, ${connections} connections`
}
