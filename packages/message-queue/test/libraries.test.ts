import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { printNumbers, test } from '@mono/test-support'
import { expect } from 'vitest'
import { openMessageQueue } from './open-message-queue.js'

const run = promisify(execFile)

async function runScript(name: string, url: string): Promise<Record<string, unknown>> {
  const script = fileURLToPath(new URL(`./support/${name}`, import.meta.url))
  const { stdout } = await run(process.execPath, [script, url])
  return JSON.parse(stdout)
}

test('an application that only publishes does not load rascal', async ({ vhost, cleanUp }) => {
  const messageQueue = openMessageQueue({ vhost, cleanUp })
  await (await messageQueue.consumeMessages('audit.events', async () => {})).drain()
  const loaded = await runScript('publish-one.mjs', vhost.url)
  printNumbers('a process that publishes one event', loaded)
  expect(loaded).toMatchObject({ rascal: 0, amqplib: expect.any(Number) })
  expect(loaded.amqplib).toBeGreaterThan(0)
})

test('no function of amqplib or rascal is replaced by publishing, consuming, retrying or replaying', async ({
  vhost,
}) => {
  const { compared, outcomes, replaced } = await runScript('use-everything.mjs', vhost.url)
  expect(outcomes).toEqual(['retried', 'dead-lettered', 'acked'])
  expect(compared).toBeGreaterThan(300)
  expect(replaced).toEqual([])
})
