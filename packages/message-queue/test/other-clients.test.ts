import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import { examples, serializePayload } from '@mono/contracts'
import { findPython, type TestFixtures, test, waitFor } from '@mono/test-support'
import { expect } from 'vitest'
import type { ReceivedMessage } from '../src/index.js'
import { openMessageQueue } from './open-message-queue.js'

const run = promisify(execFile)
const page = readFileSync(new URL('../../../docs/messages.md', import.meta.url), 'utf8')

function snippetIn(language: string): string {
  const snippet = new RegExp(`^\`\`\`${language}\\n([\\s\\S]+?)^\`\`\``, 'm').exec(page)?.[1]
  if (snippet === undefined) throw new Error(`docs/messages.md: expected a block fenced as ${language}, found none`)
  return snippet
}

/** Resolves once the consumer is registered. */
async function consumeEvents(fixtures: Pick<TestFixtures, 'vhost' | 'cleanUp'>) {
  const received: ReceivedMessage<'audit.events'>[] = []
  await openMessageQueue(fixtures).consumeMessages('audit.events', async (message) => {
    received.push(message)
  })
  return { first: () => waitFor(() => received[0], { what: 'the event to be received' }) }
}

async function findPublisher(): Promise<string | undefined> {
  try {
    await run('amqp-publish', ['--help'])
    return 'sh'
  } catch {
    return undefined
  }
}

const clients = [
  { client: 'pika', language: 'python', shell: await findPython() },
  { client: 'amqp-publish', language: 'sh', shell: await findPublisher() },
]

for (const { client, language, shell = '' } of clients) {
  const title = `takes the event that the page publishes with ${client}`
  test.skipIf(shell === '')(shell ? title : `${title} (not installed here)`, async ({ vhost, cleanUp }) => {
    const { first } = await consumeEvents({ vhost, cleanUp })
    await run('env', [`RABBITMQ_URL=${vhost.url}`, shell, '-c', snippetIn(language)])
    expect(await first()).toMatchObject({ routingKey: 'audit.track', payload: { entityId: 'invoice-2025-0042' } })
  })
}

test('takes an event from the management page, whose headers are text', async ({ vhost, cleanUp }) => {
  const { first } = await consumeEvents({ vhost, cleanUp })
  const body = serializePayload('audit.event', examples['audit.event'])
  await vhost.publishUnchecked('audit', 'audit.compliance', body, { 'x-tenant-id': '42', 'x-schema-version': '1' })
  expect(await first()).toMatchObject({ routingKey: 'audit.compliance', payload: examples['audit.event'] })
})
