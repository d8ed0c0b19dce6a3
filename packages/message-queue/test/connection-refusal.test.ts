import { createRecordingLogger, type TestVhost, test, waitFor } from '@mono/test-support'
import { expect } from 'vitest'
import type { MessageQueue } from '../src/index.js'
import { openMessageQueue } from './open-message-queue.js'

type Logger = ReturnType<typeof createRecordingLogger>

interface Refusal {
  /** @returns the URL to connect to */
  arrange(vhost: TestVhost): Promise<string>
  words: RegExp
}

const refusals: Record<string, Refusal> = {
  'a vhost that is not there': {
    arrange: async ({ url }) => withPath(url, '/nonesuch'),
    words: /NOT_ALLOWED - vhost nonesuch not found/,
  },
  'a user that may not enter the vhost': {
    arrange: async (vhost) => {
      const user = await vhost.createUser()
      await user.setPermissions(undefined)
      return user.url
    },
    words: /NOT_ALLOWED - access to vhost '.*' refused for user/,
  },
  'a wrong password': {
    arrange: async (vhost) => {
      const url = new URL((await vhost.createUser()).url)
      url.password = `no-${url.password}`
      return url.href
    },
    words: /ACCESS_REFUSED - Login was refused/,
  },
  'a vhost that takes no more connections': {
    arrange: async (vhost) => {
      await vhost.limitConnections(0)
      return vhost.url
    },
    words: /NOT_ALLOWED - .*connection limit \(0\) is reached/,
  },
}

function withPath(url: string, path: string): string {
  return Object.assign(new URL(url), { pathname: path }).href
}

/** Gives the text of the log, with the messages of the errors in it. */
function toText({ lines }: Logger): string {
  return lines.map(({ data, message }) => `${message} ${(data.err as Error | undefined)?.message}`).join('\n')
}

function describeClient(messageQueue: MessageQueue, logger: Logger, error?: unknown): string {
  return [String(error), toText(logger), JSON.stringify(messageQueue.health())].join('\n')
}

test.for(Object.entries(refusals))('of %s the client tells the broker’s own words', async (row, { vhost, cleanUp }) => {
  const [, { arrange, words }] = row
  const url = await arrange(vhost)
  const logger = createRecordingLogger()
  const messageQueue = openMessageQueue({ vhost, cleanUp }, { url, logger, deadlineMs: 1_500 })
  const error: unknown = await messageQueue.connect().catch((thrown: unknown) => thrown)
  await vhost.limitConnections(-1)
  expect(String(error)).toMatch(words)
  expect(toText(logger)).toMatch(words)
  expect(messageQueue.health().lastError).toMatch(words)
  expect(describeClient(messageQueue, logger, error)).not.toContain(new URL(url).password)
})

test.for(Object.entries(refusals))('of %s a consumer tells them too', async (row, { vhost, cleanUp }) => {
  const [, { arrange, words }] = row
  const url = await arrange(vhost)
  const logger = createRecordingLogger()
  const messageQueue = openMessageQueue({ vhost, cleanUp }, { url, logger })
  messageQueue.consumeMessages('audit.events', async () => {}).catch(() => {})
  await waitFor(() => words.test(messageQueue.health().lastError ?? ''), { what: 'the reason in health()' })
  await vhost.limitConnections(-1)
  expect(toText(logger)).toMatch(words)
  expect(messageQueue.health().consumers).toMatchObject([
    { state: 'connecting', lastError: expect.stringMatching(words) },
  ])
  expect(describeClient(messageQueue, logger)).not.toContain(new URL(url).password)
})

test('a consumer whose user loses the right tells why when it connects again, and no more when it is back', async ({
  vhost,
  cleanUp,
}) => {
  const user = await vhost.createUser()
  const logger = createRecordingLogger()
  const messageQueue = openMessageQueue({ vhost, cleanUp }, { url: user.url, logger })
  await messageQueue.consumeMessages('audit.events', async () => {})
  expect(messageQueue.health().lastError).toBeUndefined()
  await user.setPermissions(undefined)
  await vhost.closeConnections({ atLeast: 1 })
  await waitFor(() => /refused for user/.test(messageQueue.health().lastError ?? ''), {
    what: 'the reason in health()',
  })
  expect(toText(logger)).toMatch(/access to vhost '.*' refused for user/)
  await user.setPermissions({})
  await waitFor(() => messageQueue.health().consumers[0]?.state === 'consuming', {
    what: 'the consumer to be back',
    timeoutMs: 20_000,
  })
  expect(messageQueue.health().lastError).toBeUndefined()
})
