import type { TLSSocket } from 'node:tls'
import { withDeadline } from '@mono/waiting'
import type { Carrier } from './carrier.js'
import { HttpRequestError } from './http-request-error.js'
import { createHttp1Carrier } from './http1-carrier.js'
import { openHttp2Carrier } from './http2-carrier.js'
import type { Http2Rules } from './http2-rules.js'
import { openTlsSocket, type TlsOptions } from './open-tls-socket.js'

export interface OpenCarrierOptions extends TlsOptions {
  origin: string
  connectTimeoutMs: number
  idleMs: number
  maxConcurrent: number
  maxBodyBytes: number
  /** With them nothing but HTTP/2 will do. */
  http2?: Http2Rules | undefined
  /** Cuts the opening short. */
  signal: AbortSignal
}

/** Connects to an origin and lets the server choose the version of HTTP. @throws HttpRequestError `CONNECTION_FAILED` */
export async function openCarrier(options: OpenCarrierOptions): Promise<Carrier> {
  const { origin, connectTimeoutMs, idleMs, signal: closing, ...rest } = options
  const url = new URL(origin)

  const connectInTime = <T>(connect: (signal: AbortSignal) => Promise<T>) =>
    withDeadline({ ms: connectTimeoutMs, signal: closing }, connect)

  const openSocket =
    (protocols: string[]) =>
    (signal: AbortSignal): Promise<TLSSocket> =>
      openTlsSocket({ url, protocols, signal, lookup: rest.lookup, ca: rest.ca })

  return await connectInTime(async (signal) => {
    const socket = await openSocket(rest.http2 ? ['h2'] : ['h2', 'http/1.1'])(signal)
    if (socket.alpnProtocol === 'h2') return await openHttp2Carrier({ ...rest, socket, origin, signal })
    if (rest.http2) {
      socket.destroy()
      throw new HttpRequestError('CONNECTION_FAILED', 'The server does not speak HTTP/2', { sent: false })
    }
    return createHttp1Carrier({
      ...rest,
      socket,
      idleMs,
      openSocket: () => connectInTime(openSocket(['http/1.1'])),
    })
  })
}
