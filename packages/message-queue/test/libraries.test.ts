import { execFile } from 'node:child_process'
import { readdir, readFile } from 'node:fs/promises'
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
  await vhost.shortenRetries('push.notifications')
  const { compared, outcomes, replaced } = await runScript('use-everything.mjs', vhost.url)
  expect(outcomes).toEqual(['retried', 'dead-lettered', 'acked'])
  expect(compared).toBeGreaterThan(300)
  expect(replaced).toEqual([])
})

test('no method of one connection or channel is replaced either, which would not show in the libraries', async () => {
  const source = fileURLToPath(new URL('../src/', import.meta.url))
  const files = (await readdir(source, { recursive: true })).filter((file) => /(?<!\.test)\.ts$/.test(file))
  const replaces =
    /\.(connect|createChannel|createConfirmChannel|consume|cancel|ack|nack|prefetch|publish|close|emit) = /
  const replacing = await Promise.all(
    files.map(async (file) => (replaces.test(await readFile(`${source}/${file}`, 'utf8')) ? [file] : [])),
  )
  expect(files.length).toBeGreaterThan(50)
  expect(replacing.flat()).toEqual([])
})
