import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { test, waitFor } from '@mono/test-support'
import { expect } from 'vitest'
import {
  chatMessage,
  conversations,
  countStored,
  countWaiting,
  inOrder,
  openRelay,
  prepareOutbox,
  readStored,
  startJudge,
} from './support/outbox-under-test.js'

const script = fileURLToPath(new URL('support/crashing-application.mjs', import.meta.url))
const kills = 50

interface Crash {
  point: 'committed' | 'confirmed'
  number: number
  env: Record<string, string>
}

/** Resolves when the process has killed itself. */
async function crash({ point, number, env }: Crash): Promise<void> {
  const bodies = conversations.map((conversationId) => chatMessage(conversationId, number).body)
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
}, async ({ database, vhost, workers, cleanUp }) => {
  await prepareOutbox(database)
  const judge = await startJudge({ database, vhost, workers })
  const env = { DATABASE_URL: database.url, RABBITMQ_URL: vhost.url }
  for (let number = 0; number < kills; number += 1) {
    const before = await countWaiting(database)
    const point = number % 2 === 0 ? 'committed' : 'confirmed'
    await crash({ point, number, env })
    // Whoever died left what was not deleted, with what those before had left.
    expect(await countWaiting(database)).toBe(before + conversations.length)
  }
  const relay = openRelay({ database, vhost, cleanUp })
  await waitFor(async () => (await countStored(database)) === kills * conversations.length, { what: 'all to arrive' })
  expect(await readStored(database)).toEqual(inOrder(kills))
  await waitFor(async () => (await countWaiting(database)) === 0, { what: 'the outbox to be empty' })
  const arrived = await judge.metric('mono_deliveries_total', { outcome: 'acked' })
  // Each kill leaves a message of each conversation at most that was on its way.
  expect(arrived).toBeGreaterThan(kills * conversations.length)
  expect(arrived).toBeLessThanOrEqual(kills * conversations.length + (kills / 2) * conversations.length)
  await relay.stop()
  await judge.terminate()
})
