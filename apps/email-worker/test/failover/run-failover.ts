import { createMessageQueue } from '@mono/message-queue'
import { migrate, printNumbers, type TestFixtures, type WorkerProcess, waitFor } from '@mono/test-support'
import { expect } from 'vitest'
import { bringBack } from '../bring-back.js'
import type { FarEnds, ReceivedBy } from './far-ends.js'

type ProviderName = ReceivedBy['provider']

export interface Trouble {
  title: string
  break(farEnds: FarEnds): Promise<unknown> | unknown
  mend(farEnds: FarEnds): Promise<unknown> | unknown
  /** How many mails the broken one may leave in doubt. Default none. */
  inDoubtAtMost?: number
  /** It wants mails more slowly: then it is not away. Default false. */
  isOnlySlow?: boolean
}

type Fixtures = Pick<TestFixtures, 'vhost' | 'database' | 'workers' | 'cleanUp'>

const count = 2_000
/** So many have gone by the first when it is broken. */
const before = 200

interface Row extends Record<string, unknown> {
  recipient: string
  state: string
  provider: string | null
  attempts: number
}

/**
 * Breaks the provider that is tried first amid 2,000 mails, mends it when all have gone by the other but those that are in
 * doubt, and goes on until mails go by the first again.
 */
export async function runFailover(
  farEnds: FarEnds,
  { first, trouble }: { first: ProviderName; trouble: Trouble },
  { vhost, database, workers, cleanUp }: Fixtures,
): Promise<void> {
  const { title, inDoubtAtMost = 0, isOnlySlow = false } = trouble
  const other: ProviderName = first === 'smtp' ? 'mailgun' : 'smtp'
  await migrate('email-worker', database.url)
  const worker = workers.spawn('email-worker', {
    RABBITMQ_URL: vhost.url,
    DATABASE_URL: database.url,
    EMAIL_PROVIDERS: `${first},${other}`,
    ...farEnds.env,
  })
  await worker.ready()
  const messageQueue = createMessageQueue({ url: vhost.url, connectionName: 'test', deadlineMs: 60_000 })
  cleanUp(() => messageQueue.close())
  const send = (name: string) =>
    messageQueue.sendEmailMessage(
      { to: [`${name}@example.com`], subject: `Mail ${name}`, text: 'Good morning', tenantId: 42 },
      { messageId: name },
    )
  const receivedBy = (provider: ProviderName) => farEnds.received().filter((mail) => mail.provider === provider)
  const readRows = () => database.query<Row>('SELECT recipient, state, provider, attempts FROM email.deliveries')
  const isInDoubt = ({ state, provider }: Row) => state === 'retry' && provider === first
  const countMails = async (provider: ProviderName, outcome: string) =>
    Number(await worker.metric('mono_email_mails_total', { provider, outcome }))

  const sent = Promise.all(Array.from({ length: count }, (_, index) => send(`mail-${index}`)))
  await waitFor(() => receivedBy(first).length >= before, { what: `${before} mails by ${first}`, timeoutMs: 60_000 })
  await trouble.break(farEnds)
  const brokenAt = Date.now()
  await sent
  const byOther = await waitFor(() => receivedBy(other)[0], { what: `a mail by ${other}`, timeoutMs: 60_000 })
  const settled = await waitFor(
    async () => {
      const rows = await readRows()
      const open = rows.filter((row) => row.state !== 'sent' && !isInDoubt(row))
      // One mail may be trying the broken one.
      return rows.length === count && open.length <= 1 && open.every(({ state }) => state === 'sending') && rows
    },
    { what: 'every mail to have gone, or to be in doubt', timeoutMs: 90_000, intervalMs: 100 },
  )
  const allMs = Date.now() - brokenAt

  await trouble.mend(farEnds)
  const mendedAt = Date.now()
  let more = 0
  const byFirst = await waitFor(
    async () => {
      await send(`more-${more}`)
      more += 1
      return receivedBy(first).find(({ at, to }) => at >= mendedAt && to.startsWith('more-'))
    },
    { what: `a mail by ${first} again`, timeoutMs: 90_000, intervalMs: 200 },
  )
  await waitFor(async () => (await worker.metric('mono_email_provider_in_use', { provider: first })) === 1, {
    what: `${first} to be in use`,
  })
  // Mails that wait for a minute come back, and those in doubt go by the first.
  const rows = await waitFor(
    async () => {
      await bringBack(vhost, { atLeast: 0 })
      const now = await readRows()
      return now.length === count + more && now.every(({ state }) => state === 'sent') && now
    },
    { what: 'every mail to be sent', timeoutMs: 60_000, intervalMs: 200 },
  )

  const servedBy = groupByRecipient(farEnds.received())
  const twice = [...servedBy.values()].filter((mails) => mails.length > 1)
  const inDoubt = await countMails(first, 'unknown')
  const triedAgain = new Set(rows.filter(({ attempts }) => attempts > 1).map(({ recipient }) => recipient))
  printNumbers(`failover: ${first} ${title}`, {
    mails: count,
    untilOtherMs: byOther.at - brokenAt,
    allMs,
    untilFirstAgainMs: byFirst.at - mendedAt,
    byOther: settled.filter(({ provider }) => provider === other).length,
    inDoubt,
    twice: twice.length,
  })

  // A recipient in doubt has the mail from one provider only, and nobody has it from two.
  for (const { recipient, provider } of rows) {
    const by = new Set(servedBy.get(recipient)?.map((mail) => mail.provider))
    expect([recipient, ...by]).toEqual([recipient, provider])
  }
  expect(servedBy.size).toBe(rows.length)
  expect(inDoubt).toBeLessThanOrEqual(inDoubtAtMost)
  expect(twice.length).toBeLessThanOrEqual(inDoubt)
  for (const mails of twice) {
    expect(new Set(mails.map(({ messageId }) => messageId)).size).toBe(1)
    expect(triedAgain).toContain(mails[0]?.to)
  }
  for (const provider of [first, other]) {
    const counted = await countMails(provider, 'sent')
    expect([provider, counted]).toEqual([provider, rows.filter((row) => row.provider === provider).length])
  }
  await expectChanges(worker, first, { isOnlySlow })
  expect(await worker.terminate()).toEqual({ code: 0, signal: null })
  for (const queue of ['', '.dlq', '.retry.60s', '.retry.15m']) {
    expect([queue, await vhost.countMessages(`email.notifications${queue}`)]).toEqual([queue, 0])
  }
}

async function expectChanges(worker: WorkerProcess, provider: string, { isOnlySlow }: { isOnlySlow: boolean }) {
  const changes = worker.logs.filter((line) => line.provider === provider).map(({ msg }) => msg)
  const expected = ['A provider cannot be used; mails go by another one', 'A provider takes mails again']
  expect(changes).toEqual(isOnlySlow ? [] : expected)
}

function groupByRecipient(mails: readonly ReceivedBy[]): Map<string, ReceivedBy[]> {
  const groups = new Map<string, ReceivedBy[]>()
  for (const mail of mails) groups.set(mail.to, [...(groups.get(mail.to) ?? []), mail])
  return groups
}
