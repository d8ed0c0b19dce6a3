import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { ReadinessReport } from './readiness.js'

export interface HealthServerOptions {
  /** 0 takes any free port. */
  port: number
  readiness(): ReadinessReport
  metrics(): Promise<{ contentType: string; text: string }>
}

export interface HealthServer {
  readonly port: number
  /** Takes no more connections, ends the idle ones at once and the busy ones soon. */
  close(): Promise<void>
}

/** Requests that are being answered while the server closes get this long. */
const closeLimitMs = 500

/**
 * Serves, on all interfaces, to GET and HEAD:
 * - `/livez`: 200 as long as the process runs; an orchestrator restarts the process when it does not answer
 * - `/readyz`: 200 or 503 and a {@link ReadinessReport}
 * - `/metrics`: the Prometheus text format
 *
 * @throws Error naming the variable to change if the port is taken or not allowed.
 */
export async function openHealthServer({ port, readiness, metrics }: HealthServerOptions): Promise<HealthServer> {
  const routes: Routes = new Map<string, Route>([
    ['/livez', () => toJsonReply(200, { status: 'alive' })],
    ['/readyz', () => toReadinessReply(readiness())],
    ['/metrics', async () => ({ status: 200, ...(await metrics()) })],
  ])
  const server = createServer((request, response) => {
    void answer(routes, request).then((reply) => send(reply, request, response))
  })
  server.keepAliveTimeout = 5000
  server.requestTimeout = 5000

  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(toListenError(error, port)))
    // No host: all interfaces, IPv6 and IPv4.
    server.listen(port, resolve)
  })

  return {
    port: (server.address() as AddressInfo).port,
    close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      server.closeIdleConnections()
      const timer = setTimeout(() => server.closeAllConnections(), closeLimitMs)
      return closed.finally(() => clearTimeout(timer))
    },
  }
}

interface Reply {
  status: number
  contentType: string
  text: string
  headers?: Record<string, string>
}

type Route = () => Reply | Promise<Reply>

type Routes = ReadonlyMap<string, Route>

async function answer(routes: Routes, request: IncomingMessage): Promise<Reply> {
  const path = (request.url ?? '').split('?', 1)[0] ?? ''
  const route = routes.get(path)
  if (!route) return toJsonReply(404, { error: `Nothing is served here; try ${[...routes.keys()].join(', ')}` })
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    return { ...toJsonReply(405, { error: 'Only GET and HEAD' }), headers: { allow: 'GET, HEAD' } }
  }
  try {
    return await route()
  } catch (error) {
    return toJsonReply(500, { error: error instanceof Error ? error.message : 'unknown error' })
  }
}

function toReadinessReply(report: ReadinessReport): Reply {
  return toJsonReply(report.status === 'ready' ? 200 : 503, report)
}

function toJsonReply(status: number, body: unknown): Reply {
  return { status, contentType: 'application/json; charset=utf-8', text: `${JSON.stringify(body)}\n` }
}

function send({ status, contentType, text, headers }: Reply, request: IncomingMessage, response: ServerResponse): void {
  response.writeHead(status, {
    'content-type': contentType,
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
    ...headers,
  })
  response.end(request.method === 'HEAD' ? undefined : text)
}

function toListenError(error: NodeJS.ErrnoException, port: number): Error {
  const reasons: Record<string, string> = {
    EADDRINUSE:
      'another process listens on it; stop that process or set HTTP_PORT to another port (0 takes a free one)',
    EACCES: 'the user of this process may not listen on it; set HTTP_PORT to a port above 1023',
  }
  const reason = reasons[error.code ?? ''] ?? error.message
  return new Error(`The health server needs port ${port}, but ${reason}`, { cause: error })
}
