import { type ClientHttp2Session, connect } from 'node:http2'
import type { TLSSocket } from 'node:tls'
import { type Carrier, createCarrier } from './carrier.js'
import { exchangeOnHttp2 } from './exchange-on-http2.js'
import type { HttpRequest } from './http-messages.js'
import { HttpRequestError } from './http-request-error.js'
import type { Goaway, Http2Rules } from './http2-rules.js'
import { pingWhenQuiet } from './ping-when-quiet.js'

export interface Http2CarrierOptions {
  /** Agreed on `h2`. The carrier closes it. */
  socket: TLSSocket
  /** `https://host:port` */
  origin: string
  /** Streams at a time, if the server does not want fewer. */
  maxConcurrent: number
  maxBodyBytes: number
  http2?: Http2Rules | undefined
  /** Cuts the opening short. */
  signal: AbortSignal
}

/**
 * Opens a session on a socket and waits for the server's settings: only they say how many streams it takes.
 *
 * A GOAWAY retires the session. Streams up to the last one that the server names go on; those above it, and those
 * that it refuses, have certainly not been processed and fail as `UNPROCESSED`.
 * @throws HttpRequestError `CONNECTION_FAILED`
 */
export async function openHttp2Carrier(options: Http2CarrierOptions): Promise<Carrier> {
  const { socket, origin, maxConcurrent, maxBodyBytes, http2: rules, signal } = options
  const session = connect(origin, { createConnection: () => socket, settings: { enablePush: false } })
  // Every stream is told of the session's end by itself.
  session.on('error', () => {})
  await untilSettingsCome(session, signal).catch((error) => {
    socket.destroy()
    throw error
  })

  let isProven = rules === undefined
  let goaway: Goaway | undefined
  const streamLimit = () =>
    Math.min(session.remoteSettings.maxConcurrentStreams ?? maxConcurrent, isProven ? maxConcurrent : 1)

  /** What is not answered to the end may be the session's fault, so the next request gets another one. */
  async function exchange(request: HttpRequest) {
    const bytesBefore = socket.bytesRead
    try {
      const answer = await exchangeOnHttp2({ session, request, maxBodyBytes, goaway: () => goaway })
      if (!isProven && rules?.isProof(answer)) {
        isProven = true
        carrier.resize(streamLimit())
      }
      if (!answer.complete || rules?.endsSession(answer)) carrier.retire()
      return answer
    } catch (error) {
      // Out of time, but the session has brought something meanwhile: it is this answer that takes its time.
      if (!isAborted(error) || socket.bytesRead === bytesBefore) carrier.retire()
      throw error
    }
  }

  const carrier = createCarrier({
    maxConcurrent: streamLimit(),
    exchange,
    onRetired: () => session.close(),
    disconnect() {
      session.destroy()
      socket.destroy()
    },
    disconnected: new Promise<void>((resolve) => {
      if (socket.closed) resolve()
      else socket.once('close', () => resolve())
    }),
  })
  session.on('remoteSettings', () => carrier.resize(streamLimit()))
  session.on('goaway', (errorCode, lastStreamId, data) => {
    const isFirst = goaway === undefined
    // A second one, with which a server closes the connection at last, often says nothing.
    goaway = { origin, errorCode, lastStreamId, data: data?.toString('utf8') || (goaway?.data ?? '') }
    if (isFirst) rules?.onGoaway(goaway)
    carrier.retire()
  })
  if (rules) pingWhenQuiet({ ...rules, session, socket, onSilence: carrier.destroy })
  session.on('close', carrier.destroy)
  return carrier
}

function isAborted(error: unknown): boolean {
  return error instanceof HttpRequestError && error.code === 'ABORTED'
}

function untilSettingsCome(session: ClientHttp2Session, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stopListening = () => {
      signal.removeEventListener('abort', onAbort)
      session.off('remoteSettings', succeed)
      session.off('error', fail)
      session.off('close', onClose)
    }
    const succeed = () => {
      stopListening()
      resolve()
    }
    const fail = (cause: unknown) => {
      stopListening()
      session.destroy()
      const message = 'The server did not open an HTTP/2 session'
      reject(new HttpRequestError('CONNECTION_FAILED', message, { sent: false, cause }))
    }
    const onAbort = () => fail(signal.reason)
    const onClose = () => fail(new Error('The connection was closed before the settings came'))
    session.once('remoteSettings', succeed)
    session.once('error', fail)
    session.once('close', onClose)
    signal.addEventListener('abort', onAbort, { once: true })
    if (signal.aborted) onAbort()
  })
}
