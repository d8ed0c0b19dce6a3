import { setMaxListeners } from 'node:events'
import { sleep, untilAborted } from '@mono/waiting'
import type { Carrier } from './carrier.js'
import type { HttpAnswer, HttpRequest } from './http-messages.js'
import { HttpRequestError } from './http-request-error.js'
import type { Http2Rules } from './http2-rules.js'
import { openCarrier } from './open-carrier.js'
import type { TlsOptions } from './open-tls-socket.js'
import { toAbortedError } from './to-aborted-error.js'

export interface HttpOriginClientOptions extends TlsOptions {
  /** How long connecting may take, until the server can be asked, in milliseconds. Default 5000. */
  connectTimeoutMs?: number
  /** How long connections without a request are kept, in milliseconds. Default 60000. */
  idleMs?: number
  /** Requests at a time to one origin; fewer if the server wants fewer. The others wait. Default 100. */
  maxConcurrent?: number
  /** So much of an answer is taken, and the rest refused, in bytes. Default 65536. */
  maxBodyBytes?: number
  /** The rules of the server; without them HTTP/1.1 will do too. */
  http2?: Http2Rules
}

/**
 * Asks servers over HTTPS: HTTP/2 on one session per origin where the server can, else HTTP/1.1 on kept-alive
 * connections. Follows no redirects. Sends a request again, once, only if the server has certainly not processed it.
 */
export interface HttpOriginClient {
  /** Requests that are sent and not answered yet. */
  readonly inFlight: number
  /** Settles by the time that the request's signal is aborted. @throws HttpRequestError */
  request(request: HttpRequest): Promise<HttpAnswer>
  /** Ends what is under way; resolves when no connection is left. */
  close(): Promise<void>
}

interface Opening {
  done: Promise<Carrier>
  /** It is set once the connection is open, so that a request need not wait for a promise that is settled. */
  carrier?: Carrier
}

/** A server that ends every session at once must not be connected to without end. */
const maxInVain = 5

export function createHttpOriginClient(options: HttpOriginClientOptions = {}): HttpOriginClient {
  const defaults = { connectTimeoutMs: 5000, idleMs: 60_000, maxConcurrent: 100, maxBodyBytes: 65_536 }
  const resolved = { ...defaults, ...options }
  /** The one to use now, by origin; one that was retired goes on beside it for a while. */
  const current = new Map<string, Opening>()
  const open = new Map<Carrier, NodeJS.Timeout>()
  /** Milliseconds of the process; kept only where connections must not follow each other quickly. */
  const openedAt = new Map<string, number>()
  const closing = new AbortController()
  let inFlight = 0
  // Every connection that is being opened listens to it.
  setMaxListeners(0, closing.signal)

  function openFor(origin: string): Opening {
    const opening: Opening = { done: openInTurn(origin) }
    current.set(origin, opening)
    opening.done.then(
      (carrier) => {
        opening.carrier = carrier
        open.set(carrier, retireWhenIdle(carrier))
        void carrier.ended.then(() => {
          clearTimeout(open.get(carrier))
          open.delete(carrier)
          forget(origin, opening)
        })
      },
      () => forget(origin, opening),
    )
    return opening
  }

  async function openInTurn(origin: string): Promise<Carrier> {
    if (resolved.http2) {
      const now = performance.now()
      const at = Math.max(now, (openedAt.get(origin) ?? Number.NEGATIVE_INFINITY) + resolved.http2.reopenMs)
      openedAt.set(origin, at)
      if (at > now) await sleep(at - now, closing.signal)
    }
    return await openCarrier({ ...resolved, origin, signal: closing.signal })
  }

  function retireWhenIdle(carrier: Carrier): NodeJS.Timeout {
    const timer = setTimeout(() => (carrier.idle ? carrier.retire() : timer.refresh()), resolved.idleMs)
    return timer.unref()
  }

  function forget(origin: string, opening: Opening): void {
    if (current.get(origin) === opening) current.delete(origin)
  }

  /** A carrier that has a turn for the request. */
  async function reserve({ url: { origin }, signal }: HttpRequest): Promise<Carrier> {
    for (let inVain = 0; inVain < maxInVain; ) {
      if (closing.signal.aborted) throw closedError()
      const opening = current.get(origin) ?? openFor(origin)
      const carrier =
        opening.carrier ?? (await untilAborted(opening.done, signal, () => toAbortedError(signal, { sent: false })))
      if (await carrier.reserve(signal)) return carrier
      forget(origin, opening)
      if (!carrier.isUsed) inVain += 1
    }
    const message = `The server ended ${maxInVain} connections before a request was sent`
    throw new HttpRequestError('UNPROCESSED', message, { sent: false })
  }

  return {
    get inFlight() {
      return inFlight
    },
    async request(request) {
      for (let isRepeated = false; ; isRepeated = true) {
        const carrier = await reserve(request)
        open.get(carrier)?.refresh()
        try {
          inFlight += 1
          return await carrier.send(request)
        } catch (error) {
          if (isRepeated || !isUnprocessed(error)) throw error
        } finally {
          inFlight -= 1
        }
      }
    },
    async close() {
      closing.abort(closedError())
      await Promise.allSettled([...current.values()].map(({ done }) => done))
      const carriers = [...open.keys()]
      for (const carrier of carriers) carrier.destroy()
      await Promise.all(carriers.map(({ ended }) => ended))
    },
  }
}

function isUnprocessed(error: unknown): boolean {
  return error instanceof HttpRequestError && error.code === 'UNPROCESSED'
}

function closedError(): HttpRequestError {
  return new HttpRequestError('CLIENT_CLOSED', 'The client is closed', { sent: false })
}
