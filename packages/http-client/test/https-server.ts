import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'
import { createSecureServer, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2'
import { createServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import { certificate as cert, privateKey as key } from './certificate.js'

export interface HttpsServerOptions {
  /** Default `h2`. */
  protocol?: string
  maxConcurrentStreams?: number
  onSession?(session: ServerHttp2Session): void
  /** What a stream of HTTP/2 gets; the number counts the streams from 1. */
  onStream?(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, count: number): void
  /** What a request of HTTP/1.1 gets. */
  onRequest?(request: IncomingMessage, response: ServerResponse): void
}

export interface HttpsServer {
  origin: string
  port: number
  /** Sessions of HTTP/2 that were opened, in order. */
  sessions: ServerHttp2Session[]
  /** Connections that were opened, in order. */
  sockets: Socket[]
  /** Ends every connection without a word. */
  kill(): void
  close(): Promise<void>
}

/** A server on 127.0.0.1 that does as it is told. */
export async function createHttpsServer(options: HttpsServerOptions): Promise<HttpsServer> {
  const { protocol = 'h2', maxConcurrentStreams = 100, onSession, onStream, onRequest } = options
  const sessions: ServerHttp2Session[] = []
  const sockets: Socket[] = []
  const server =
    protocol === 'h2'
      ? createSecureServer({ key, cert, settings: { maxConcurrentStreams } })
      : createServer({ key, cert, ALPNProtocols: [protocol] }, onRequest)
  let count = 0
  server.on('connection', (socket: Socket) => sockets.push(socket.on('error', () => {})))
  server.on('session', (session: ServerHttp2Session) => {
    sessions.push(session.on('error', () => {}))
    onSession?.(session)
  })
  server.on('stream', (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
    count += 1
    stream.on('error', () => {})
    onStream?.(stream, headers, count)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo

  const kill = () => {
    for (const socket of sockets) socket.destroy()
  }

  return {
    origin: `https://127.0.0.1:${port}`,
    port,
    sessions,
    sockets,
    kill,
    async close() {
      const closed = new Promise((resolve) => server.close(resolve))
      for (const session of sessions) session.destroy()
      kill()
      await closed
    },
  }
}
