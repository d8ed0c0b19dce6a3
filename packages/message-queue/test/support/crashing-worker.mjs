// Consumes push notifications, and dies of those that say so. Run by crash-loop.test.ts as a process of its own.
import { setTimeout as sleep } from 'node:timers/promises'
import { createMessageQueue } from '@mono/message-queue'

// biome-ignore lint/style/noProcessEnv: this is the entry file of a process
const { RABBITMQ_URL: url = '', INTAKE, DIES_WHILE } = process.env
const say = (/** @type {object} */ line) => process.stdout.write(`${JSON.stringify(line)}\n`)

const messageQueue = createMessageQueue({ url, connectionName: 'crashing' })
const inHand = () => messageQueue.health().consumers[0]?.inFlight ?? 0

/** @param {string} messageId */
function die(messageId) {
  say({ dies: messageId, inHand: inHand() })
  process.kill(process.pid, 'SIGKILL')
}

const parse = JSON.parse
if (DIES_WHILE === 'reading') {
  JSON.parse = (text, reviver) => {
    const value = parse(text, reviver)
    if (value?.body === 'deadly') die(value.title)
    return value
  }
}

/** @param {import('@mono/message-queue').ReceivedMessage<'push.notifications'>} message */
async function handle({ messageId, payload }) {
  if (payload.body === 'deadly') die(messageId)
  await sleep(5)
  say({ done: messageId })
}

process.once('SIGTERM', () => void messageQueue.drain())
if (INTAKE === 'batches') {
  const handleAll = async (/** @type {readonly any[]} */ messages) => void (await Promise.all(messages.map(handle)))
  await messageQueue.consumeBatches('push.notifications', handleAll, { size: 50, maxWaitMs: 5_000 })
} else await messageQueue.consumeMessages('push.notifications', handle)
