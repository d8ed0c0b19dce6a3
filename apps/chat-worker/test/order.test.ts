import { createMessageQueue } from '@mono/message-queue'
import { findOvertakers, migrate, printNumbers, type TestFixtures, test, waitFor } from '@mono/test-support'
import { describe, expect } from 'vitest'
import { chatDescription, conversations } from './description.mjs'
import { untilActive } from './until-active.js'
import { numberedMessage } from './worker-under-test.js'

const replicas = 3

/** So many messages to each of so many conversations: one that is busy, and many at a time. */
const rounds = [
  { count: 1, each: 100 },
  { count: conversations, each: 25 },
  { count: conversations, each: 25 },
]

type Services = Pick<TestFixtures, 'vhost' | 'database' | 'workers' | 'cleanUp'>
type Setup = Awaited<ReturnType<typeof setUp>>

/** Replicas that are ready, a subscriber, and a client that sends. */
async function setUp({ vhost, database, workers, cleanUp }: Services) {
  await migrate('chat-worker', database.url)
  const spawn = () => workers.spawn('chat-worker', { RABBITMQ_URL: vhost.url, DATABASE_URL: database.url })
  const fleet = Array.from({ length: replicas }, spawn)
  await Promise.all(fleet.map((replica) => replica.ready()))
  const { messages: heard } = await vhost.listen('realtime', 'chat.#')
  const messageQueue = createMessageQueue({ url: vhost.url, connectionName: 'test', deadlineMs: 30_000 })
  cleanUp(() => messageQueue.close())
  /** Ids, by conversation in the order in which they were confirmed. */
  const confirmed = Array.from({ length: conversations }, (): string[] => [])
  const countConfirmed = () => confirmed.reduce((total, { length }) => total + length, 0)

  return {
    database,
    fleet,
    heard,
    confirmed,
    replace(place: number) {
      const replica = spawn()
      fleet[place] = replica
      return replica
    },
    /**
     * Sends to the first so many conversations, side by side; each message of one when its predecessor is confirmed.
     * Does something when half of it is confirmed, and resolves when all is.
     */
    async send({ count, each }: (typeof rounds)[number], halfway: () => Promise<unknown> = async () => {}) {
      const half = countConfirmed() + (count * each) / 2
      const sending = confirmed.slice(0, count).map(async (ids, conversation) => {
        for (let sent = 0; sent < each; sent += 1) {
          const message = numberedMessage(ids.length * conversations + conversation)
          await chatDescription.send(messageQueue, message, message.messageId)
          ids.push(message.messageId)
        }
      })
      await waitFor(() => countConfirmed() >= half, {
        what: `${half} messages to be confirmed`,
        timeoutMs: 30_000,
        intervalMs: 1,
      })
      await Promise.all([...sending, halfway()])
    },
  }
}

/** Whatever was confirmed is stored and broadcast, in the order in which it was confirmed. Ends the replicas. */
async function expectInOrder(title: string, { database, fleet, heard, confirmed }: Setup): Promise<void> {
  const ids = confirmed.flat()
  const readSequences = async () => {
    const rows = await database.query<{ message_id: string; sequence: number }>(
      'SELECT message_id, sequence::int FROM chat.messages',
    )
    return new Map(rows.map(({ message_id, sequence }) => [message_id, sequence]))
  }
  const places = () => toPlaces(heard.map(({ properties }) => String(properties.messageId)))
  await waitFor(async () => (await readSequences()).size >= ids.length && places().size >= ids.length, {
    what: `${ids.length} messages to be stored and heard`,
    timeoutMs: 60_000,
  })
  await Promise.all(fleet.map((replica) => replica.ready()))
  for (const replica of fleet) expect(await replica.terminate()).toEqual({ code: 0, signal: null })

  const sequenceById = await readSequences()
  const placeById = places()
  const storedEarly = confirmed.flatMap((each) => findOvertakers(each, (id) => sequenceById.get(id)))
  const heardEarly = confirmed.flatMap((each) => findOvertakers(each, (id) => placeById.get(id)))
  printNumbers(`order of chat, ${title}`, {
    messages: ids.length,
    broadcasts: heard.length,
    storedEarly: storedEarly.length,
    heardEarly: heardEarly.length,
  })
  expect([...sequenceById.keys()].sort()).toEqual(ids.sort())
  expect(await chatDescription.findFaults?.({ query: (sql) => database.query(sql) })).toEqual([])
  const first = (early: string[]) => early.slice(0, 5)
  expect({ storedEarly: first(storedEarly), heardEarly: first(heardEarly) }).toEqual({
    storedEarly: [],
    heardEarly: [],
  })
}

/** When each was heard first: a redelivery is broadcast again. */
function toPlaces(ids: string[]): Map<string, number> {
  const places = new Map<string, number>()
  for (const id of ids) if (!places.has(id)) places.set(id, places.size)
  return places
}

// Each message is sent when its predecessor in the conversation is confirmed.
describe(`${replicas} replicas keep the order of a conversation`, { timeout: 180_000 }, () => {
  test('when the active one is killed', async ({ vhost, database, workers, cleanUp }) => {
    const chat = await setUp({ vhost, database, workers, cleanUp })
    for (const round of rounds) {
      await chat.send(round, async () => {
        const { place, replica } = await untilActive(chat.fleet)
        replica.kill('SIGKILL')
        await replica.exited
        chat.replace(place)
      })
    }
    await expectInOrder('killed', chat)
  })

  test('when one after the other is restarted', async ({ vhost, database, workers, cleanUp }) => {
    const chat = await setUp({ vhost, database, workers, cleanUp })
    for (const [place, round] of rounds.entries()) {
      await chat.send(round, async () => {
        expect(await chat.fleet[place]?.terminate()).toEqual({ code: 0, signal: null })
        await chat.replace(place).ready()
      })
    }
    await expectInOrder('restarted', chat)
  })

  test('when messages of it are given up', async ({ vhost, database, workers, cleanUp }) => {
    const chat = await setUp({ vhost, database, workers, cleanUp })
    const giveUp = async () => {
      for (const [index, [messageId = '']] of chat.confirmed.entries()) {
        const message = numberedMessage(index)
        for (const content of ['another one with this id', 1]) {
          await vhost.publish('messages', 'chat.direct', { ...message, content }, { messageId })
        }
      }
    }
    for (const round of rounds) await chat.send(round, round === rounds.at(-1) ? giveUp : undefined)
    const dead = await vhost.drainQueue('chat.messages.dlq', 2 * conversations, { timeoutMs: 60_000 })
    const codes = dead.map(({ headers }) => headers['x-failure-code'])
    const countOf = (code: string) => codes.filter((each) => each === code).length
    expect([countOf('ID_CONFLICT'), countOf('INVALID_MESSAGE')]).toEqual([conversations, conversations])
    await expectInOrder('given up', chat)
  })
})
