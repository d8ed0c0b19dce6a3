import { once, setMaxListeners } from 'node:events'
import {
  createSecureServer,
  type Http2SecureServer,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2'
import type { AddressInfo, Socket } from 'node:net'
import { inspect } from 'node:util'
import type { Certificate } from './self-signed-certificate.js'

/** A stream with all that came on it but the body. */
export interface ApnsStream {
  stream: ServerHttp2Stream
  session: ServerHttp2Session
  headers: IncomingHttpHeaders
  rawHeaders: readonly string[]
}

export interface ApnsListener {
  /** TCP connections that are open. */
  connections: number
  /** Sessions that were opened since the start. */
  opened: number
  /** PING frames that came. */
  pings: number
  /** Resolves with the port. */
  listen(port: number): Promise<number>
  /** Ends the connection of a session without a word. */
  drop(session: ServerHttp2Session): void
  /** Closes what is open and refuses connections until it listens again. */
  close(): Promise<void>
}

export interface ApnsListenerOptions {
  /** It listens there. */
  address: string
  certificate: Certificate
  /** Called for each stream. `signal` is aborted when the listener closes. */
  serve(stream: ApnsStream, signal: AbortSignal): Promise<void>
}

/** HTTP/2 over TLS and nothing else, with one stream at a time on a connection until its settings are changed. */
export function createApnsListener({ address, certificate, serve }: ApnsListenerOptions): ApnsListener {
  // The key is the client's port: a session knows no more of the TCP connection below TLS.
  const sockets = new Map<number | undefined, Socket>()
  const portOf = new Map<ServerHttp2Session, number | undefined>()
  let server: Http2SecureServer | undefined
  let closing = new AbortController()
  let opened = 0
  let pings = 0

  const onSession = (session: ServerHttp2Session) => {
    opened += 1
    portOf.set(session, session.socket.remotePort)
    session.on('error', () => undefined)
    session.on('ping', () => {
      pings += 1
    })
    session.once('close', () => portOf.delete(session))
  }

  const onStream = (
    stream: ServerHttp2Stream,
    headers: IncomingHttpHeaders,
    _flags: number,
    rawHeaders: readonly string[],
  ) => {
    const { session } = stream
    stream.on('error', () => undefined)
    if (!session) return
    const { signal } = closing
    serve({ stream, session: session as ServerHttp2Session, headers, rawHeaders }, signal).catch((error: unknown) => {
      // The client may have gone away meanwhile, which is its right.
      if (signal.aborted || stream.destroyed) return
      if (!stream.headersSent) stream.respond({ ':status': 500 })
      stream.end(`The push service of the tests is broken: ${inspect(error)}`)
    })
  }

  return {
    get connections() {
      return sockets.size
    },
    get opened() {
      return opened
    },
    get pings() {
      return pings
    },
    async listen(port) {
      if (server) return port
      closing = new AbortController()
      // Every late answer listens to it.
      setMaxListeners(0, closing.signal)
      server = createSecureServer({ ...certificate, settings: { maxConcurrentStreams: 1 } })
      server.on('connection', (socket: Socket) => {
        const { remotePort } = socket
        sockets.set(remotePort, socket)
        socket.on('error', () => undefined)
        socket.once('close', () => sockets.delete(remotePort))
      })
      server.on('session', onSession)
      server.on('stream', onStream)
      server.listen(port, address)
      await once(server, 'listening')
      return (server.address() as AddressInfo).port
    },
    drop(session) {
      sockets.get(portOf.get(session))?.destroy()
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
