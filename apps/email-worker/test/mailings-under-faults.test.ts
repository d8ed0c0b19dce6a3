import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import {
  createTcpProxy,
  findPython,
  migrate,
  printNumbers,
  type TestDatabase,
  type TestMessage,
  type TestVhost,
  test,
  type WorkerProcess,
  waitFor,
} from '@mono/test-support'
import { describe, expect } from 'vitest'
import { bringBack } from './bring-back.js'
import { emailEnvironment } from './email-environment.js'

const run = promisify(execFile)

const addressesOf = (name: string, count: number) =>
  Array.from({ length: count }, (_, index) => `${name}-${index}@example.com`)

/** So many recipients of a mailing are tried before it gives way. */
const shareOfRecipients = 100
const connections = 5

/** Each replica sends from an address of its own, so that a mail tells who has sent it. */
const addressOfReplica = (name: string) => `${name}@example.com`

interface Row {
  recipient: string
  message_id: string
  state: string
  attempts: number
  previous_state: string | null
}

const readLedger = (database: TestDatabase) =>
  database.query<Row & Record<string, unknown>>(
    'SELECT recipient, message_id, state, attempts, previous_state FROM email.deliveries',
  )

const recipientsOf = (rows: readonly { recipient: string }[]) => rows.map(({ recipient }) => recipient).toSorted()

const countGaveWay = (worker: WorkerProcess) => worker.metric('mono_deliveries_total', { outcome: 'gave-way' })

/** A message that gives way says where it goes on, and has no attempt counted. */
function expectGivingWay(copies: readonly TestMessage[]): void {
  for (const { headers, properties } of copies) {
    const { 'x-attempts': attempts, 'x-resume-at': resumeAt, 'x-progress-at': progressAt } = headers
    expect({ id: properties.messageId, attempts, resumeAt, progressAt }).toEqual({
      id: properties.messageId,
      attempts: 0,
      resumeAt: expect.stringMatching(/^0 [12]\d\d( deferred)?$/),
      progressAt: expect.any(String),
    })
  }
}

async function expectEmptyQueues(vhost: TestVhost): Promise<void> {
  for (const queue of ['', '.dlq', '.retry.1s', '.retry.60s', '.retry.15m']) {
    expect([queue, await vhost.countMessages(`email.notifications${queue}`)]).toEqual([queue, 0])
  }
}

describe('six mailings over two replicas, one of which is cut off once in the middle of a share, and the other killed', () => {
  const mailings = ['a', 'b', 'c', 'd', 'e', 'f'].map((name) => ({ id: `mailing-${name}`, to: addressesOf(name, 260) }))
  const ofMailings = new Set(mailings.flatMap(({ to }) => to))
  const prefetch = 2
  /** One mailing has at most so many tries in a share, with what is under way when it is used up. */
  const shareAtMost = shareOfRecipients + 2 * connections
  const leaseMs = 30_000
  const quick = 'delay 5'
  const held = 'delay 1000'

  test('every recipient is served, twice only those whose mail was handed over and not recorded', {
    timeout: 120_000,
  }, async ({ vhost, database, smtpSink, workers, cleanUp }) => {
    await migrate('email-worker', database.url)
    const since = performance.now()
    const proxy = await createTcpProxy({ target: vhost.url })
    cleanUp(() => proxy.close())
    smtpSink.answer('all', quick)
    const env = emailEnvironment({ vhost, database, smtpSink })
    const start = (name: string, rabbitmqUrl: string) =>
      workers.spawn('email-worker', {
        ...env,
        RABBITMQ_URL: rabbitmqUrl,
        SMTP_URL: `${env.SMTP_URL}?maxConnections=${connections}`,
        EMAIL_FROM: addressOfReplica(name),
        EMAIL_ON_UNKNOWN: 'resend',
        PREFETCH: String(prefetch),
      })
    const [victim, survivor] = [start('victim', vhost.url), start('survivor', proxy.url(vhost.url))]
    await Promise.all([victim.ready(), survivor.ready()])
    const { messages: givingWay } = await vhost.listen('email.notifications.retry', '1s')

    const publish = (messageId: string, mail: { to: string[]; tenantId: number }) =>
      vhost.publish('notifications', 'email.send', { subject: messageId, text: 'Good morning', ...mail }, { messageId })
    const countOfMailings = () => smtpSink.received.filter(({ to: [to = ''] }) => ofMailings.has(to)).length
    const overtaken: number[] = []
    const singles: string[] = []
    /** Resolves when it is received, and notes how many mails of mailings came between. */
    async function sendSingle(): Promise<void> {
      const id = `single-${singles.length}`
      const address = `${id}@example.com`
      singles.push(address)
      const before = countOfMailings()
      await publish(id, { to: [address], tenantId: 2 })
      await waitFor(() => smtpSink.receivedBy(address).length > 0, { what: id, timeoutMs: 60_000, intervalMs: 5 })
      overtaken.push(countOfMailings() - before)
    }
    /** Does this while the replica waits for the answer to a mail, which it has handed over. */
    async function amidMailsOf(name: string, act: () => unknown): Promise<void> {
      const { length: before } = smtpSink.received
      smtpSink.answer('all', held)
      const handedOver = () => smtpSink.received.slice(before).filter(({ from }) => from === addressOfReplica(name))
      // As many as it has connections may have been on their way by then, and be answered at once.
      const isAmid = () => handedOver().length > connections
      await waitFor(isAmid, { what: `mails of the ${name}`, timeoutMs: 30_000, intervalMs: 5 })
      await act()
      smtpSink.answer('all', quick)
    }

    await Promise.all(mailings.map(({ id, to }) => publish(id, { to, tenantId: 1 })))
    await waitFor(() => smtpSink.received.length >= 30, { what: 'the first mails', intervalMs: 5 })
    await sendSingle()
    const gaveWay = { victim: 0, survivor: 0 }
    await waitFor(
      async () => {
        gaveWay.victim = await countGaveWay(victim)
        return gaveWay.victim > 0
      },
      { what: 'the victim to give way', timeoutMs: 30_000 },
    )
    // The broker delivers again what the replica has in hand, also to the other one, while it goes on with it.
    const cutConnections = proxy.connections
    await amidMailsOf('survivor', () => proxy.cut())
    const receivedAtCut = smtpSink.received.length
    await amidMailsOf('victim', async () => {
      victim.kill('SIGKILL')
      await victim.exited
    })
    const killedAt = Date.now()
    const receivedAtKill = smtpSink.received.length
    const claimedAtKill = (await readLedger(database)).filter(({ state }) => state === 'sending')
    await sendSingle()
    await sendSingle()

    const waited: TestMessage[] = []
    const isAllSent = async () => {
      const rows = await readLedger(database)
      return rows.length === ofMailings.size + singles.length && rows.every(({ state }) => state === 'sent')
    }
    const countReady = async (...queues: string[]) => {
      const counts = await Promise.all(queues.map((queue) => vhost.countMessages(`email.notifications${queue}`)))
      return counts.reduce((sum, count) => sum + count)
    }
    const isDone = async () => {
      const isPause = (await survivor.metric('mono_in_flight')) === 0 && (await countReady('', '.retry.1s')) === 0
      if (!isPause) return false
      if ((await isAllSent()) && (await countReady('.retry.60s')) === 0) return true
      // The leases of the dead one end here, in place of after 30 s, and so does the wait for the next try.
      await database.query(
        "UPDATE email.deliveries SET lease_until = now() WHERE state = 'sending' AND lease_until < $1",
        [new Date(killedAt + leaseMs)],
      )
      waited.push(...(await bringBack(vhost, { atLeast: 0 })))
      return false
    }
    await waitFor(isDone, { what: 'every mail to be sent, and no message to be left', timeoutMs: 60_000 })
    gaveWay.survivor = await countGaveWay(survivor)
    const retries = await survivor.metric('mono_retries_total')
    expect(await survivor.terminate()).toEqual({ code: 0, signal: null })

    const rows = await readLedger(database)
    const counts = smtpSink.counts()
    const everybody = [...ofMailings, ...singles].toSorted()
    const sentByVictim = new Set(
      smtpSink.received.filter(({ from }) => from === addressOfReplica('victim')).flatMap(({ to }) => to),
    )
    // Claimed, and claimed anew when the lease was over.
    const orphaned = rows.filter(({ previous_state }) => previous_state === 'sending')
    const unrecorded = recipientsOf(orphaned.filter(({ recipient }) => sentByVictim.has(recipient)))
    const servedTwice = everybody.filter((address) => counts.get(address) === 2)
    printNumbers('email-worker, mailings under faults', {
      gaveWay,
      overtaken,
      receivedAtKill,
      receivedAtCut,
      cutConnections,
      claimsOfTheDead: orphaned.length,
      handedOverAndNotRecorded: unrecorded.length,
      servedTwice: servedTwice.length,
      claimedAgain: rows.filter(({ attempts }) => attempts > 1).length,
      copiesOfGivingWay: givingWay.length,
      waited: waited.length,
      doneMs: Math.round(performance.now() - since),
    })

    // Without these the rest would show nothing.
    expect(Math.min(gaveWay.victim, gaveWay.survivor)).toBeGreaterThan(0)
    expect(cutConnections).toBeGreaterThan(0)
    expect(unrecorded.length).toBeGreaterThan(0)
    expect(receivedAtKill).toBeLessThan(ofMailings.size)

    expect(rows.filter(({ state }) => state !== 'sent')).toEqual([])
    expect(recipientsOf(rows)).toEqual(everybody)
    expect([...counts.keys()].toSorted()).toEqual(everybody)
    expect(recipientsOf(claimedAtKill)).toEqual(expect.arrayContaining(recipientsOf(orphaned)))
    expect(servedTwice).toEqual(unrecorded)
    expect(smtpSink.received).toHaveLength(everybody.length + unrecorded.length)
    for (const address of servedTwice) {
      const mails = smtpSink.receivedBy(address)
      expect(mails.map(({ from }) => from)).toEqual([addressOfReplica('victim'), addressOfReplica('survivor')])
      expect(new Set(mails.map(({ messageId }) => messageId)).size).toBe(1)
    }
    // A share of each mailing; in line with them it would be all that are in hand, to their end.
    const [beforeFaults = Number.NaN, ...afterFaults] = overtaken
    expect(beforeFaults).toBeLessThan(mailings.length * shareAtMost)
    // The work that was in hand when the connection was cut goes on beside what is delivered again.
    expect(Math.max(...afterFaults)).toBeLessThan((mailings.length + prefetch) * shareAtMost)
    expectGivingWay(givingWay)
    expect(waited.map(({ headers }) => headers['x-attempts'])).toEqual(waited.map(() => 0))
    expect(retries).toBe(0)
    await expectEmptyQueues(vhost)
  })
})

describe('a mailing that a client in another language has published, without a property or a header', async () => {
  const python = await findPython()
  const publishMail = `
import json, os, pika
connection = pika.BlockingConnection(pika.URLParameters(os.environ["RABBITMQ_URL"]))
channel = connection.channel()
channel.confirm_delivery()
channel.basic_publish(exchange="notifications", routing_key="email.send", mandatory=True, body=os.environ["BODY"].encode())
connection.close()
`

  const title = 'gives way, and each is served once'
  test.skipIf(python === undefined)(
    python ? title : `${title} (pika is not installed here)`,
    async ({ vhost, database, smtpSink, workers }) => {
      await migrate('email-worker', database.url)
      smtpSink.answer('all', 'delay 5')
      const env = emailEnvironment({ vhost, database, smtpSink })
      const worker = workers.spawn('email-worker', {
        ...env,
        SMTP_URL: `${env.SMTP_URL}?maxConnections=2`,
        PREFETCH: '1',
      })
      await worker.ready()
      const { messages: givingWay } = await vhost.listen('email.notifications.retry', '1s')
      const publish = async (subject: string, to: string[], tenantId: number) => {
        const BODY = JSON.stringify({ to, subject, text: 'Good morning', tenantId })
        await run('env', [`RABBITMQ_URL=${vhost.url}`, `BODY=${BODY}`, python ?? '', '-c', publishMail])
      }
      const to = addressesOf('mailing', 130)
      await publish('mailing', to, 1)
      await publish('single', ['ada@example.com'], 2)
      await waitFor(() => smtpSink.received.length >= 131, { what: 'all mails', timeoutMs: 30_000 })
      const isDone = async () => (await worker.metric('mono_deliveries_total', { outcome: 'acked' })) === 2
      await waitFor(isDone, { what: 'both to be acknowledged' })

      expect(await countGaveWay(worker)).toBe(1)
      expect(givingWay).toHaveLength(1)
      expectGivingWay(givingWay)
      expect(smtpSink.received.findIndex(({ subject }) => subject === 'single')).toBeLessThan(shareOfRecipients + 10)
      expect(smtpSink.counts()).toEqual(new Map([...to, 'ada@example.com'].map((address) => [address, 1])))
      const rows = await readLedger(database)
      expect(rows.filter(({ state }) => state !== 'sent')).toEqual([])
      expect(new Set(rows.map(({ message_id }) => message_id)).size).toBe(2)
      expect(await worker.metric('mono_derived_id_merges_total')).toBe(0)
      expect(await worker.metric('mono_retries_total')).toBe(0)
      expect(await worker.terminate()).toEqual({ code: 0, signal: null })
      await expectEmptyQueues(vhost)
    },
  )
})
