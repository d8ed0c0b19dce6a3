import type { TLSSocket } from 'node:tls'
import { type Carrier, createCarrier } from './carrier.js'
import { exchangeOnHttp1 } from './exchange-on-http1.js'
import { SocketAgent } from './socket-agent.js'

export interface Http1CarrierOptions {
  /** The first connection; the carrier closes it. */
  socket: TLSSocket
  /** Makes another. @throws HttpRequestError `CONNECTION_FAILED` */
  openSocket(): Promise<TLSSocket>
  /** Connections, and so requests, at a time. */
  maxConcurrent: number
  maxBodyBytes: number
  /** How long a connection is kept for the next request. */
  idleMs: number
}

/** Kept-alive connections with one request at a time on each. */
export function createHttp1Carrier(options: Http1CarrierOptions): Carrier {
  const { socket, openSocket, maxConcurrent, maxBodyBytes, idleMs } = options
  const agent = new SocketAgent({ first: socket, openSocket, maxSockets: maxConcurrent, idleMs })
  return createCarrier({
    maxConcurrent,
    exchange: (request) => exchangeOnHttp1({ agent, request, maxBodyBytes }),
    disconnect: () => agent.end(),
    disconnected: agent.ended,
  })
}
