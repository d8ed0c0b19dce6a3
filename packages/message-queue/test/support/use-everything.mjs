// Publishes, consumes, retries, dead-letters and replays, and prints which functions of amqplib and rascal are other ones
// afterwards than before this package was loaded.
import { createRequire } from 'node:module'

const require = createRequire(import.meta.url)
for (const name of ['amqplib', 'amqplib/callback_api', 'rascal']) require(name)

/** @returns {Map<string, unknown>} every function that the two libraries export, and every method of their classes */
function listFunctions() {
  const found = new Map()
  const add = (path, owner) => {
    for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(owner))) {
      if (typeof value !== 'function' || name === 'constructor') continue
      found.set(`${path}.${name}`, value)
      if (value.prototype) add(`${path}.${name}.prototype`, value.prototype)
    }
  }
  for (const [file, module] of Object.entries(require.cache)) {
    if (!/node_modules.(amqplib|rascal)./.test(file)) continue
    const { exports } = module
    if (exports && ['object', 'function'].includes(typeof exports)) add(file, exports)
    if (exports?.prototype) add(`${file}.prototype`, exports.prototype)
  }
  return found
}

const before = listFunctions()
const { createMessageQueue, PermanentError, RetryableError } = await import('@mono/message-queue')
const { examples } = await import('@mono/contracts')
const [url = ''] = process.argv.slice(2)
const messageQueue = createMessageQueue({ url })
const outcomes = []
let onSettled = () => {}
const settled = (count) =>
  new Promise((resolve) => {
    onSettled = () => outcomes.length >= count && resolve()
    onSettled()
  })
const consumer = await messageQueue.consumeMessages(
  'push.notifications',
  async ({ attempt, replayedAt }) => {
    if (replayedAt) return
    throw attempt === 1 ? new RetryableError('not yet') : new PermanentError('never')
  },
  {
    onSettled({ outcome }) {
      outcomes.push(outcome)
      onSettled()
    },
  },
)
await messageQueue.sendPushNotification(examples['push.notification'])
await settled(2)
await messageQueue.replayDeadLetters('push.notifications')
await settled(3)
await consumer.drain()
await messageQueue.close()
const after = listFunctions()
const replaced = [...before].filter(([path, value]) => after.get(path) !== value).map(([path]) => path)
process.stdout.write(JSON.stringify({ compared: before.size, replaced, outcomes }))
