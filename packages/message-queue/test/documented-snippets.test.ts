import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { examples } from '@mono/contracts'
import { type TestVhost, test, waitFor } from '@mono/test-support'
import { afterAll, beforeAll, expect } from 'vitest'
import { compileProject } from './support/compile-project.js'
import { readSnippets, type Snippet } from './support/read-snippets.js'

const snippets = ['README.md', 'packages/message-queue/README.md'].flatMap(readSnippets)
const parent = fileURLToPath(new URL('../test-results/', import.meta.url))
let directory = ''

/** In this package, so that `@mono/message-queue` is its build, as an application would have it. */
async function writePrograms(): Promise<void> {
  await mkdir(parent, { recursive: true })
  directory = await mkdtemp(`${parent}snippets-`)
  for (const { name, program } of snippets) await writeFile(`${directory}/${name}.mts`, program)
}

/** By file and line of the page. */
let compilerErrors = ''

beforeAll(async () => {
  await writePrograms()
  compilerErrors = await compileProject(directory, ['*.mts'])
})

afterAll(async () => {
  if (directory !== '') await rm(directory, { recursive: true })
})

/**
 * Two messages of each type in their queue, and a dead letter of each. A consumer that is sent the second has handed the
 * first to its handler.
 */
async function fillQueues(vhost: TestVhost): Promise<void> {
  await vhost.importDefinitions()
  const published = [
    ['messages', 'chat.direct', 'chat.messages', examples['chat.message']],
    ['notifications', 'push.all', 'push.notifications', examples['push.notification']],
    ['notifications', 'email.template', 'email.notifications', examples['email.notification']],
    ['notifications', 'email.send', 'email.notifications', examples['email.message']],
    ['audit', 'audit.track', 'audit.events', examples['audit.event']],
  ] as const
  for (const [exchange, routingKey, queue, body] of published) {
    await vhost.publish(exchange, routingKey, body)
    await vhost.publish(exchange, routingKey, body)
    const headers = {
      'x-original-exchange': exchange,
      'x-original-routing-key': routingKey,
      'x-failure-code': 'PROVIDER_REJECTED',
    }
    await vhost.publish('dead-letter', queue, body, { headers })
  }
}

const untilEmpty = (vhost: TestVhost, queue: string) =>
  waitFor(async () => (await vhost.countMessages(queue)) === 0, { what: `the messages of ${queue} to be taken` })

/** Codes by which the messages were given up that the snippet has taken. */
async function readFailureCodes(vhost: TestVhost, queue: string): Promise<unknown[]> {
  const count = await vhost.countMessages(`${queue}.dlq`)
  const letters = await vhost.drainQueue(`${queue}.dlq`, count)
  return letters.map(({ headers }) => headers['x-failure-code'])
}

/** Runs to its end, gives its consumers time to take what is there, and ends it. */
async function run(
  { name, consumes, endsBySignal }: Snippet,
  vhost: TestVhost,
  cleanUp: (kill: () => unknown) => void,
) {
  const child = fork(`${directory}/dist/${name}.mjs`, { env: { RABBITMQ_URL: vhost.url }, silent: true })
  const closed = once(child, 'close')
  cleanUp(async () => {
    child.kill('SIGKILL')
    await closed
  })
  const printed = { stdout: '', stderr: '' }
  child.stdout?.on('data', (data) => {
    printed.stdout += data
  })
  child.stderr?.on('data', (data) => {
    printed.stderr += data
  })
  await Promise.race([once(child, 'message'), closed])
  if (child.connected) {
    for (const queue of consumes) await untilEmpty(vhost, queue)
    if (endsBySignal) child.kill('SIGTERM')
    else child.send('stop')
  }
  const [code] = await closed
  return { code, ...printed }
}

test('the snippets of both pages compile', () => {
  expect(snippets.length).toBeGreaterThan(10)
  expect(compilerErrors).toBe('')
})

for (const snippet of snippets) {
  test(`runs ${snippet.title}`, async ({ vhost, cleanUp }) => {
    await fillQueues(vhost)
    expect(await run(snippet, vhost, cleanUp)).toMatchObject({ code: 0, stderr: '' })
    for (const queue of snippet.consumes) {
      const codes = await readFailureCodes(vhost, queue)
      expect(codes).not.toContain('HANDLER_BUG')
      expect(codes).not.toContain('UNCLASSIFIED')
    }
  })
}
