// @ts-check
import { createServer } from 'node:net'
import process from 'node:process'
import { createMessageQueue } from '@mono/message-queue'
import { createEvent } from './event.mjs'

// What an application feels whose broker is dead: a million sends in waves of 10,000, one wave every quarter of a
// second, whether the last one is settled or not. Each must settle by its deadline, none may resolve, and memory must
// not grow. Exit code 1 if one of that does not hold. Needs a built checkout, no broker.

const waves = 100
const waveSize = 10_000
const pauseMs = 250
const deadlineMs = 1_000
/** Deadlines are looked at together, and on a busy machine late; nobody may wait a second longer than was said. */
const graceMs = 1_000
const memoryBarMb = 80

const megabyte = 1024 * 1024
const residentMb = () => process.memoryUsage().rss / megabyte
const sleep = (/** @type {number} */ ms) => new Promise((resolve) => setTimeout(resolve, ms))

/** A port on which nobody listens. @returns {Promise<number>} */
function findDeadPort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = /** @type {import('node:net').AddressInfo} */ (server.address())
      server.close(() => resolve(port))
    })
  })
}

const url = `amqp://mono:mono@127.0.0.1:${await findDeadPort()}/mono`
const messageQueue = createMessageQueue({ url, deadlineMs })
/** @type {Record<string, number>} */
const outcomes = {}
let latestMs = 0
let unsettled = 0

function send() {
  const since = performance.now()
  unsettled += 1
  const settle = (/** @type {string} */ outcome) => {
    outcomes[outcome] = (outcomes[outcome] ?? 0) + 1
    latestMs = Math.max(latestMs, performance.now() - since)
    unsettled -= 1
  }
  messageQueue.sendAuditEvent(createEvent()).then(
    () => settle('resolved'),
    (error) => settle([error.name, error.reason].filter(Boolean).join(' ')),
  )
}

// The first wave compiles the code; what is resident once it is settled is "idle".
for (let sent = 0; sent < waveSize; sent += 1) send()
while (unsettled > 0) await sleep(50)
const idleMb = residentMb()
let mostMb = idleMb
for (let wave = 1; wave < waves; wave += 1) {
  for (let sent = 0; sent < waveSize; sent += 1) send()
  await sleep(pauseMs)
  mostMb = Math.max(mostMb, residentMb())
}
while (unsettled > 0) await sleep(50)
await messageQueue.close()

const grownMb = mostMb - idleMb
const held = grownMb <= memoryBarMb && latestMs <= deadlineMs + graceMs && !outcomes.resolved
process.stdout.write(
  [
    `dead broker: ${waves * waveSize} sends in waves of ${waveSize}, deadline ${deadlineMs} ms`,
    ...Object.entries(outcomes).map(([outcome, count]) => `  ${String(count).padStart(9)}  ${outcome}`),
    `  settled after at most ${Math.round(latestMs)} ms  bar ${deadlineMs + graceMs}`,
    `  resident ${Math.round(idleMb)} MB idle, ${Math.round(mostMb)} MB at most  grown ${Math.round(grownMb)} MB  bar ${memoryBarMb}`,
    held ? '  held' : '  MISSED',
    '',
  ].join('\n'),
)
process.exitCode = held ? 0 : 1
