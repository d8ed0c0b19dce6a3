import { examples } from '@mono/contracts'
import { migrate, printNumbers, type TestDatabase, type TestVhost, test, waitFor } from '@mono/test-support'
import { describe, expect } from 'vitest'
import { bringBack } from './bring-back.js'
import { emailEnvironment } from './email-environment.js'

test.beforeEach(async ({ database }) => {
  await migrate('email-worker', database.url)
})

const addressesOf = (name: string, count: number) =>
  Array.from({ length: count }, (_, index) => `${name}-${index}@example.com`)

const publish = (vhost: TestVhost, to: string[]) =>
  vhost.publish('notifications', 'email.send', { ...examples['email.message'], to }, { messageId: 'to-many' })

/** Recipient → state and last code. */
async function readStates(database: TestDatabase): Promise<Map<string, string>> {
  const rows = await database.query<{ recipient: string; state: string }>(
    "SELECT recipient, concat_ws(' ', state, last_code) AS state FROM email.deliveries",
  )
  return new Map(rows.map(({ recipient, state }) => [recipient, state]))
}

const toEach = (addresses: readonly string[], state: string) =>
  addresses.map((address): [string, string] => [address, state])

async function countLeft(vhost: TestVhost) {
  const names = ['', '.dlq', '.retry.60s', '.retry.15m']
  const counts = await Promise.all(names.map((name) => vhost.countMessages(`email.notifications${name}`)))
  return counts.reduce((total, each) => total + each, 0)
}

describe('one mail to many, sent by the worker', () => {
  test('of 50 addresses 40 take it, 5 refuse it for good and 5 take it at the second try, each of them once', async ({
    vhost,
    database,
    smtpSink,
    workers,
  }) => {
    const [taken, refused, later] = [addressesOf('taken', 40), addressesOf('refused', 5), addressesOf('later', 5)]
    for (const address of refused) smtpSink.answer(address, 'rcpt 550')
    for (const address of later) smtpSink.answer(address, ['rcpt 451'])
    const worker = workers.spawn('email-worker', emailEnvironment({ vhost, database, smtpSink }))
    await worker.ready()
    await publish(vhost, [...taken, ...refused, ...later])

    const [waiting] = await bringBack(vhost, { atLeast: 1 })
    expect(waiting?.headers['x-attempts']).toBe(1)
    await waitFor(async () => (await worker.metric('mono_deliveries_total', { outcome: 'acked' })) === 1, {
      what: 'the message to be acknowledged',
    })
    const states = await readStates(database)
    expect(await worker.terminate()).toEqual({ code: 0, signal: null })
    const counts = smtpSink.counts()
    printNumbers('email-worker, 50 recipients', {
      pid: worker.pid,
      received: counts.size,
      receivedTwice: smtpSink.received.length - counts.size,
      ledger: Object.fromEntries(
        [...new Set(states.values())].map((state) => [
          state,
          [...states.values()].filter((each) => each === state).length,
        ]),
      ),
    })

    expect(counts).toEqual(new Map([...taken, ...later].map((address) => [address, 1])))
    expect(states).toEqual(
      new Map([...toEach(taken, 'sent'), ...toEach(refused, 'failed SMTP_550'), ...toEach(later, 'sent')]),
    )
    expect(await countLeft(vhost)).toBe(0)
  })

  test('if all are refused the message is dead-lettered', async ({ vhost, database, smtpSink, workers }) => {
    const to = addressesOf('refused', 50)
    smtpSink.answer('all', 'rcpt 550')
    const worker = workers.spawn('email-worker', emailEnvironment({ vhost, database, smtpSink }))
    await worker.ready()
    await publish(vhost, to)
    const [dead] = await vhost.drainQueue('email.notifications.dlq', 1)
    await worker.terminate()
    expect(dead?.headers).toMatchObject({
      'x-failure-code': 'ALL_RECIPIENTS_FAILED',
      'x-failure-message': expect.stringMatching(/^All 50 recipients failed: 50 SMTP_550\. The first: .*550/),
      'x-attempts': 1,
    })
    expect(await readStates(database)).toEqual(new Map(toEach(to, 'failed SMTP_550')))
    const reasons = await database.query('SELECT DISTINCT last_reason FROM email.deliveries')
    expect(reasons).toEqual([{ last_reason: expect.stringMatching(/^The mail server does not .*\(550 .+\)$/) }])
    expect(smtpSink.received).toEqual([])
    expect(await countLeft(vhost)).toBe(0)
  })

  test('to those whom the tenant suppresses nothing is sent, and the ledger says so', async ({
    vhost,
    database,
    smtpSink,
    workers,
  }) => {
    await database.query(
      "INSERT INTO email.suppressions VALUES (42, 'bounced@example.com', 'bounced'), (43, 'ada@example.com', 'complained')",
    )
    const worker = workers.spawn('email-worker', emailEnvironment({ vhost, database, smtpSink }))
    await worker.ready()
    await publish(vhost, ['Bounced@example.com', 'ada@example.com'])
    await waitFor(async () => (await worker.metric('mono_deliveries_total', { outcome: 'acked' })) === 1, {
      what: 'the message to be acknowledged',
    })
    await worker.terminate()
    expect(smtpSink.received.map(({ to }) => to)).toEqual([['ada@example.com']])
    expect(await readStates(database)).toEqual(
      new Map([
        ['bounced@example.com', 'failed SUPPRESSED'],
        ['ada@example.com', 'sent'],
      ]),
    )
    expect(await countLeft(vhost)).toBe(0)
  })
})
