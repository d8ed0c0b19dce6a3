// @ts-check
import process from 'node:process'
import { createMessageQueue } from '@mono/message-queue'

const [url = '', queue] = process.argv.slice(2)
const messageQueue = createMessageQueue({ url, connectionName: 'chaos-replay' })
await messageQueue.replayDeadLetters(/** @type {import('../scripts/workers.mjs').QueueName} */ (queue))
await messageQueue.close()
