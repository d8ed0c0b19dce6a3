import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { expect } from 'vitest'
import { chatMessage, conversations, countWaiting, inOrder, test, untilSent } from './support/outbox-test.js'

const script = fileURLToPath(new URL('support/crashing-application.mjs', import.meta.url))
const kills = 50
/** Of each conversation, in the transaction of each process that is killed: 1,000 messages in all. */
const messagesPerKill = 2

/** Commits these messages and resolves when the process has killed itself. */
async function crash(point: 'committed' | 'confirmed', numbers: number[], env: Record<string, string>): Promise<void> {
  const bodies = numbers.flatMap((number) => conversations.map((id) => chatMessage(id, number).body))
  const child = spawn(process.execPath, [script, point, ...bodies], { env, stdio: ['ignore', 'ignore', 'pipe'] })
  let errors = ''
  child.stderr.on('data', (chunk: Buffer) => {
    errors += chunk.toString('utf8')
  })
  const [code, signal] = await once(child, 'close')
  if (signal !== 'SIGKILL') throw new Error(`Ended with ${signal ?? code} in place of SIGKILL:\n${errors}`)
}

test('an application that is killed 50 times, between commit and send or between send and delete, loses nothing', {
  timeout: 240_000,
}, async ({ database, vhost, arrivals, openRelay }) => {
  const env = { DATABASE_URL: database.url, RABBITMQ_URL: vhost.url }
  const total = kills * messagesPerKill * conversations.length
  for (let kill = 0; kill < kills; kill += 1) {
    const before = await countWaiting(database)
    const numbers = Array.from({ length: messagesPerKill }, (_, index) => kill * messagesPerKill + index)
    await crash(kill % 2 === 0 ? 'committed' : 'confirmed', numbers, env)
    // Whoever died left what was not deleted, with what those before had left.
    expect(await countWaiting(database)).toBe(before + messagesPerKill * conversations.length)
  }
  openRelay()
  await arrivals.until(total)
  expect(await arrivals.read()).toEqual(inOrder(kills * messagesPerKill))
  await untilSent(database)
  // Each kill leaves a message of each conversation at most that was on its way.
  const delivered = await arrivals.countDelivered()
  expect(delivered).toBeGreaterThan(total)
  expect(delivered).toBeLessThanOrEqual(total + (kills / 2) * conversations.length)
})
