import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer, type IncomingMessage } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { dirname, join } from 'node:path'
import { json } from 'node:stream/consumers'
import { createRealtimeToken, type RealtimeTokenOptions } from '@mono/realtime'
import type { OpenConversation } from '@mono/realtime/browser'
import type { TestDatabase } from '@mono/test-support'
import { loadAfter } from './load-after.js'

export interface PageServerOptions {
  database: TestDatabase
  /** The page asks for it, and opens every conversation in it. */
  token: RealtimeTokenOptions & { conversations: readonly string[] }
  /** The broker's address for browsers. */
  url: string | string[]
  checkEverySeconds: number
}

export interface PageServer {
  url: string
  /** How often each path was asked for. */
  readonly requests: ReadonlyMap<string, number>
  /** With 503, until it is called with false. */
  refuseTokens(isRefusing: boolean): void
  close(): Promise<void>
}

const client = createRequire(import.meta.url).resolve('@mono/realtime/browser')
const mqtt = createRequire(client).resolve('mqtt/dist/mqtt.esm')

/** The server of an application, with a page that opens conversations and has no bundler. */
export async function createPageServer(options: PageServerOptions): Promise<PageServer> {
  const { database, token, url, checkEverySeconds } = options
  const requests = new Map<string, number>()
  let areTokensRefused = false

  const answers: Record<string, (request: IncomingMessage) => Promise<unknown>> = {
    '/settings': async () => ({ url, conversations: token.conversations, checkEverySeconds }),
    '/token': async () => (areTokensRefused ? undefined : createRealtimeToken(token)),
    '/after': async (request) => {
      const open = (await json(request)) as OpenConversation[]
      const mine = open.filter(({ conversationId }) => token.conversations.includes(conversationId))
      return await loadAfter(database, token.tenantId, mine)
    },
  }

  const server = createServer(async (request, response) => {
    const path = request.url ?? '/'
    requests.set(path, (requests.get(path) ?? 0) + 1)
    const answer = answers[path]
    if (answer === undefined) {
      response.setHeader('content-type', path === '/' ? 'text/html' : 'text/javascript')
      response.end(await readFile(toFile(path)).catch(() => response.writeHead(404) && ''))
      return
    }
    const content = await answer(request).catch(() => undefined)
    response.writeHead(content === undefined ? 503 : 200, { 'content-type': 'application/json' })
    response.end(JSON.stringify(content))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    requests,
    refuseTokens(isRefusing) {
      areTokensRefused = isRefusing
    },
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

function toFile(path: string): string {
  if (path === '/') return new URL('page.html', import.meta.url).pathname
  return path === '/mqtt.js' ? mqtt : join(dirname(client), path.replace(/^\/realtime\//, ''))
}
