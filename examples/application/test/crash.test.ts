import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { expect } from 'vitest'
import { chatMessage, conversations, countWaiting, inOrder, test, untilSent } from './support/outbox-test.js'

const script = fileURLToPath(new URL('support/crashing-application.mjs', import.meta.url))
/** Each process is killed at one of these points, one after the other. */
const points = [...Array<'committed'>(50).fill('committed'), ...Array<'confirmed'>(10).fill('confirmed')]
/** Each process commits so many of each conversation: those that send nothing leave 1,000. */
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

test('an application that is killed 50 times between commit and send, and 10 between send and delete, loses nothing', {
  timeout: 240_000,
}, async ({ database, vhost, arrivals, openRelay }) => {
  const env = { DATABASE_URL: database.url, RABBITMQ_URL: vhost.url }
  const total = points.length * messagesPerKill * conversations.length
  for (const [kill, point] of points.entries()) {
    const before = await countWaiting(database)
    const numbers = Array.from({ length: messagesPerKill }, (_, index) => kill * messagesPerKill + index)
    await crash(point, numbers, env)
    // The dead process left the rows that it had not deleted, and those of the ones before.
    expect(await countWaiting(database)).toBe(before + messagesPerKill * conversations.length)
  }
  openRelay()
  await arrivals.until(total)
  expect(await arrivals.read()).toEqual(inOrder(points.length * messagesPerKill))
  await untilSent(database)
  // Each that was killed while it sent leaves a message of each conversation at most that was on its way.
  const delivered = await arrivals.countDelivered()
  expect(delivered).toBeGreaterThan(total)
  expect(delivered).toBeLessThanOrEqual(
    total + points.filter((point) => point === 'confirmed').length * conversations.length,
  )
})
