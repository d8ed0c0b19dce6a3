// @ts-check
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createDeliveryComparison } from './delivery.mjs'
import { addressOf, createMail } from './mail.mjs'
import { withSink } from './sink-child.mjs'

const count = 3_000
/** The worker has it, too. */
const inFlight = 20
/** Until a server answers that is not on this machine. */
const answerAfterMs = 20
const from = 'Mono <mono@example.com>'

/**
 * Sends mails by Mailgun, one to a message.
 * @param {import('./push.mjs').Means} means
 * @param {{ compare: import('./push.mjs').Compare, signal: AbortSignal }} options
 * @returns {Promise<boolean>}
 */
export async function compareMailgun(means, { compare, signal }) {
  const directory = await mkdtemp(join(tmpdir(), 'bench-'))
  const certificateFile = join(directory, 'sink.pem')
  const trusted = { NODE_EXTRA_CA_CERTS: certificateFile }
  try {
    const args = [certificateFile, String(answerAfterMs)]
    return await withSink('bench/mailgun-sink.mjs', { args, signal }, async (sink) => {
      const addresses = Array.from({ length: count }, (_, index) => addressOf(index))
      const mails = `${count.toLocaleString('en')} mails, 1 to a message, ${inFlight} at a time, answered after ${answerAfterMs} ms`
      const comparison = createDeliveryComparison(
        {
          title: `email: Mailgun by email-worker against mailgun.js, ${mails}`,
          bar: 0.9,
          count,
          queue: 'email.notifications',
          ledger: 'email.deliveries',
          publish: (messageQueue) => addresses.map((address) => messageQueue.sendEmailMessage(createMail([address]))),
          worker: {
            script: 'apps/email-worker/dist/main.js',
            env: {
              ...trusted,
              EMAIL_FROM: from,
              MAILGUN_API_KEY: 'bench',
              MAILGUN_DOMAIN: 'example.com',
              MAILGUN_ORIGIN: `https://localhost:${sink.port}`,
            },
          },
          reference: { script: 'bench/reference-mailgun.mjs', args: [sink.port, from, count, inFlight], env: trusted },
        },
        { ...means, sink },
      )
      return await compare(comparison)
    })
  } finally {
    await rm(directory, { recursive: true })
  }
}
