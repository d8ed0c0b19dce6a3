import { isIP, type LookupFunction } from 'node:net'
import { connect, type TLSSocket } from 'node:tls'
import { HttpRequestError } from './http-request-error.js'

export interface TlsOptions {
  /** Resolves host names and may refuse one. An address in the URL is not looked up. Default: that of the system. */
  lookup?: LookupFunction | undefined
  /** Trusted instead of Node's own list of authorities, in PEM. */
  ca?: string | undefined
}

export interface OpenTlsSocketOptions extends TlsOptions {
  url: URL
  /** In the order of preference. */
  protocols: string[]
  /** Cuts the attempt short. */
  signal: AbortSignal
}

/**
 * Connects and shakes hands; the agreed protocol is the socket's `alpnProtocol`, false for a server that names none.
 * @throws HttpRequestError `CONNECTION_FAILED`, with the reason as its cause
 */
export function openTlsSocket({ url, protocols, signal, lookup, ca }: OpenTlsSocketOptions): Promise<TLSSocket> {
  const { hostname, host } = url
  const address = hostname.replace(/^\[(.*)\]$/, '$1')
  return new Promise((resolve, reject) => {
    const fail = (cause: unknown) => {
      const message = `No connection to ${host} could be made`
      reject(new HttpRequestError('CONNECTION_FAILED', message, { sent: false, cause }))
    }
    if (signal.aborted) return fail(signal.reason)
    const socket = connect({
      host: address,
      port: Number(url.port || 443),
      ALPNProtocols: protocols,
      // A server name must not be an address (RFC 6066, section 3).
      ...(isIP(address) ? {} : { servername: address }),
      ...(lookup ? { lookup } : {}),
      ...(ca ? { ca } : {}),
    })
    const onAbort = () => socket.destroy(signal.reason)
    signal.addEventListener('abort', onAbort, { once: true })
    socket.once('secureConnect', () => {
      signal.removeEventListener('abort', onAbort)
      socket.off('error', fail)
      // Whoever uses the socket listens for the errors that matter to it; none may end the process.
      socket.on('error', () => {})
      resolve(socket)
    })
    socket.once('error', fail)
    socket.once('close', () => {
      signal.removeEventListener('abort', onAbort)
      fail(new Error('The connection was closed during the handshake'))
    })
    socket.setNoDelay(true)
    socket.setKeepAlive(true, 30_000)
  })
}
