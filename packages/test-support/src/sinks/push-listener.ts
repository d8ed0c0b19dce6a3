import { once, setMaxListeners } from 'node:events'
import { createSecureServer } from 'node:http2'
import { createServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import type { Server } from 'node:tls'
import { type AnyRequest, type AnyResponse, createPushExchange, type PushExchange } from './push-exchange.js'
import type { Certificate } from './self-signed-certificate.js'

export interface PushListener {
  /** TCP connections that are open. */
  connections: number
  /** Resolves with the port. */
  listen(port: number): Promise<number>
  /** Closes what is open and refuses connections until it listens again. */
  close(): Promise<void>
}

export interface PushListenerOptions {
  /** Where it listens. */
  address: string
  certificate: Certificate
  protocols: readonly ('h2' | 'http/1.1')[]
  /** Called for each request. `signal` is aborted when the listener closes. */
  serve(exchange: PushExchange, signal: AbortSignal): Promise<void>
}

/** HTTPS that knows its TCP connections, to reset them and to close at once. */
export function createPushListener({ address, certificate, protocols, serve }: PushListenerOptions): PushListener {
  // By the client's address: a request knows no more of the TCP connection below TLS.
  const sockets = new Map<string, Socket>()
  let server: Server | undefined
  let closing = new AbortController()

  const onRequest = (request: AnyRequest, response: AnyResponse) => {
    const socket = sockets.get(clientOf(request.socket))
    if (!socket) return
    const exchange = createPushExchange(request, response, socket)
    const { signal } = closing
    serve(exchange, signal).catch((error: unknown) => {
      // The client may have gone away meanwhile, which is its right.
      if (!signal.aborted && !socket.destroyed && !request.destroyed) exchange.fail(error)
    })
  }

  return {
    get connections() {
      return sockets.size
    },
    async listen(port) {
      if (server) return port
      closing = new AbortController()
      // Every late answer listens to it.
      setMaxListeners(0, closing.signal)
      server = createServerFor(protocols, certificate, onRequest)
      server.on('connection', (socket: Socket) => {
        const client = clientOf(socket)
        sockets.set(client, socket)
        socket.on('error', () => undefined)
        socket.once('close', () => sockets.delete(client))
      })
      server.listen(port, address)
      await once(server, 'listening')
      return (server.address() as AddressInfo).port
    },
    async close() {
      if (!server) return
      const closed = [server, ...sockets.values()].map(
        (emitter) => new Promise((resolve) => emitter.once('close', resolve)),
      )
      server.close()
      server = undefined
      closing.abort()
      for (const socket of sockets.values()) socket.destroy()
      await Promise.all(closed)
    },
  }
}

function clientOf({ remoteAddress, remotePort }: Pick<Socket, 'remoteAddress' | 'remotePort'>): string {
  return `${remoteAddress} ${remotePort}`
}

function createServerFor(
  protocols: readonly ('h2' | 'http/1.1')[],
  { key, cert }: Certificate,
  onRequest: (request: AnyRequest, response: AnyResponse) => void,
): Server {
  if (!protocols.includes('h2')) return createServer({ key, cert }, onRequest)
  const allowHTTP1 = protocols.includes('http/1.1')
  return createSecureServer({ key, cert, allowHTTP1 }, onRequest)
}
