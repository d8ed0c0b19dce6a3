// @ts-check
import process from 'node:process'
import { createMessageQueue } from '@mono/message-queue'
import pg from 'pg'
import { parseSmtpUrl } from '../../apps/email-worker/dist/smtp/parse-smtp-url.js'
import { createSmtpProvider } from '../../apps/email-worker/dist/smtp/smtp-provider.js'
import { readVisit } from './application-visit.mjs'
import { findEffectFaults, sendAll, subscribePushUsers } from './effects.mjs'

// What a process that trusts the authorities of NODE_EXTRA_CA_CERTS can do: Node.js reads it at its start only, so
// `npm run test:compose:tls` starts one for each. Writes the servers' answers, and what is wrong with the effects of
// the messages sent, as JSON.

/**
 * @typedef {object} TlsTask
 * @property {string} brokerUrl
 * @property {string} databaseUrl
 * @property {string} smtpUrl
 * @property {{ messages: number, mailUrl: string, pushUrl: string, timeoutMs: number }} [send]
 * @property {string} [applicationUrl] of the example application, which is visited
 *
 * @typedef {{ answers: Record<string, string>, faults: string[] }} TlsReport the answer `taken`, or an error
 */

/** @param {() => Promise<unknown>} attempt */
const tryIt = (attempt) =>
  attempt().then(
    () => 'taken',
    (error) => [error.code, error.message].filter(Boolean).join(' '),
  )

/** @type {TlsTask} */
const { brokerUrl, databaseUrl, smtpUrl, send, applicationUrl } = JSON.parse(process.argv[2] ?? '')
const messageQueue = createMessageQueue({ url: brokerUrl, connectionName: 'test-compose-tls', deadlineMs: 10_000 })
const database = new pg.Client({ connectionString: databaseUrl })
const smtp = createSmtpProvider(parseSmtpUrl(smtpUrl))

/** @type {TlsReport} */
const report = {
  answers: {
    messageQueue: await tryIt(() => messageQueue.connect({ deadlineMs: 5_000 })),
    PostgreSQL: await tryIt(() => database.connect()),
    SMTP: await tryIt(() => smtp.probe()),
  },
  faults: [],
}
if (send && Object.values(report.answers).every((answer) => answer === 'taken')) {
  const query = async (/** @type {string} */ sql, /** @type {unknown[]} */ params = []) =>
    (await database.query(sql, params)).rows
  await subscribePushUsers({ query, ...send })
  await sendAll(messageQueue, { from: 0, to: send.messages })
  report.faults = await findEffectFaults({ query, ...send }, { count: send.messages, timeoutMs: send.timeoutMs })
}
if (applicationUrl) {
  for (const [where, done] of Object.entries(await readVisit(applicationUrl))) {
    if (done === undefined) report.faults.push(`a message of the example application: nothing in ${where}`)
  }
}
await messageQueue.close()
await database.end().catch(() => {})
await smtp.close()
process.stdout.write(JSON.stringify(report))
