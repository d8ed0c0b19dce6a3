// @ts-check
import { setTimeout as sleep } from 'node:timers/promises'
import { createCertificateAuthority } from '@mono/test-support/sinks'

const hosts = ['localhost']
const authority = createCertificateAuthority()
const good = authority.issue(hosts)
const renewed = authority.issue(hosts)
const expired = authority.issue(hosts, { expired: true })

/**
 * @typedef {import('../scripted-mail-server.mjs').DayServer} MailServer
 * @typedef {import('@mono/test-support/mail-servers').MailServerOptions} MailServerOptions
 *
 * A part of the day.
 * @typedef {object} Phase
 * @property {string} name
 * @property {number} seconds
 * @property {MailServerOptions} [options] of the server from its beginning on; default: it is away
 */

/** Two workers offer a little more than three mails a second, and are one client to the server. @type {Phase[]} */
const phases = [
  { name: 'not yet there', seconds: 45 },
  { name: 'well', seconds: 45, options: { certificate: good } },
  { name: '20 mails in 10 s', seconds: 90, options: { certificate: good, rate: { mails: 20, seconds: 10 } } },
  { name: 'expired certificate', seconds: 60, options: { certificate: expired } },
  { name: 'new certificate', seconds: 60, options: { certificate: renewed } },
  { name: '3 connections', seconds: 75, options: { certificate: renewed, connectionsPerClient: 3 } },
  {
    name: '4.3.2',
    seconds: 45,
    options: { certificate: renewed, refuseAll: '450 4.3.2 System not accepting network messages' },
  },
  { name: 'well again', seconds: 45, options: { certificate: renewed } },
  { name: 'restart', seconds: 15 },
  { name: 'slow', seconds: 60, options: { certificate: renewed, greetingDelaySeconds: 6, finalDelaySeconds: 3 } },
  { name: 'well at last', seconds: 60, options: { certificate: renewed } },
]
const totalSeconds = phases.reduce((total, { seconds }) => total + seconds, 0)

/** In short form each part of the day lasts so long. */
const shortSeconds = 5
const lineEveryMs = 15_000
/** A mail that was deferred comes back after a minute. */
const catchUpMs = 180_000

/**
 * @param {string} name
 * @param {NonNullable<import('../scenario.mjs').Scenario['mailServer']>['name']} server
 * @returns {import('../scenario.mjs').Scenario}
 */
const createDay = (name, server) => ({
  name,
  what: `a day of a mail server (${server}) in ten minutes: late, too fast, expired, full, out of order, restarted, slow`,
  seconds: totalSeconds,
  shortSeconds: phases.length * shortSeconds,
  queues: ['email.notifications'],
  messages: { 'email.notifications': 2000 },
  sendsAllMeanwhile: true,
  onlyNamed: true,
  // Whenever it is stopped, it may have taken mails without a word.
  mayDoTwice: {
    'email.notifications': 'the server was stopped between a final dot and its answer; EMAIL_ON_UNKNOWN=resend',
  },
  twiceAtMost: 20,
  mailServer: { name: server, authority: authority.cert },
  async fault({ stage, fleet, publisher, short, note, reportFault }) {
    const { mailServer } = stage
    if (!mailServer) throw new Error('Expected a mail server')
    const startedAt = performance.now()
    const lines = createTable({ fleet, publisher, mailServer, startedAt, note })
    for (const { name: phase, seconds, options } of phases) {
      if (options) await mailServer.configure(options)
      else await mailServer.stop()
      await lines.during(phase, (short ? shortSeconds : seconds) * 1000)
    }
    await lines.during(
      'catching up',
      catchUpMs,
      async () => (await mailServer.countMails()) >= publisher.countSettled(),
    )
    const count = async (/** @type {string} */ outcome) => {
      const counts = fleet.replicas.map(({ readMetric }) => readMetric('mono_deliveries_total', { outcome }))
      return (await Promise.all(counts)).reduce((/** @type {number} */ total, each) => total + (each ?? 0), 0)
    }
    const retried = await count('retried')
    const lost = fleet.countLogged(/its answer was lost.*"msg":"Retried"/)
    note(
      `${await count('deferred')} deferrals; ${retried} attempts counted, ${lost} of them for an answer that was lost`,
    )
    if (retried > lost) reportFault(`${retried - lost} attempts were counted for a fault of the server`)
  },
})

export const dayOfAMailServer = createDay('day-of-a-mail-server', 'postfix')
export const dayOfExim = createDay('day-of-exim', 'exim')
export const dayOfScriptedServer = createDay('day-of-a-scripted-server', 'scripted')

/**
 * One line each 15 s: what was offered and delivered, and the pace of each worker.
 * @param {Pick<import('../scenario.mjs').Run, 'fleet' | 'publisher' | 'note'> & { mailServer: MailServer, startedAt: number }} options
 */
function createTable({ fleet, publisher, mailServer, startedAt, note }) {
  note('   s  phase                offered  delivered  at a time  paused s  breaker')
  let nextAt = startedAt
  const readAll = async (/** @type {string} */ metric, /** @type {Record<string, string>} */ labels = {}) =>
    await Promise.all(fleet.replicas.map(({ readMetric }) => readMetric(metric, labels)))
  const join = (/** @type {(string | number)[]} */ values) => values.join(' ')
  async function printLine(/** @type {string} */ phase) {
    const [atATime, pauses, open, delivered] = await Promise.all([
      readAll('mono_smtp_concurrency'),
      readAll('mono_smtp_paused_seconds'),
      readAll('mono_breaker_open', { dependency: 'smtp' }),
      mailServer.countMails(),
    ])
    const cells = [
      String(Math.round((performance.now() - startedAt) / 1000)).padStart(4),
      phase.padEnd(19),
      String(publisher.countSettled()).padStart(8),
      String(delivered).padStart(9),
      join(atATime.map((value) => value ?? '–')).padStart(9),
      join(pauses.map((value) => value?.toFixed(0) ?? '–')).padStart(8),
      join(open.map((value) => (value === undefined ? '–' : value > 0 ? 'open' : 'closed'))),
    ]
    note(cells.join('  '))
  }
  return {
    /**
     * @param {string} phase
     * @param {number} ms
     * @param {() => Promise<boolean>} [isOver] so that it ends before its time
     */
    async during(phase, ms, isOver = async () => false) {
      await printLine(phase)
      const until = performance.now() + ms
      nextAt = performance.now() + lineEveryMs
      while (performance.now() < until && !(await isOver())) {
        await sleep(Math.max(0, Math.min(until - performance.now(), 1000)))
        if (performance.now() < nextAt || performance.now() >= until) continue
        nextAt += lineEveryMs
        await printLine(phase)
      }
      if (ms === catchUpMs) await printLine(phase)
    },
  }
}
