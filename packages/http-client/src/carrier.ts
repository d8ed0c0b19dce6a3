import { createSlots } from '@mono/waiting'
import type { HttpAnswer, HttpRequest } from './http-messages.js'
import { toAbortedError } from './to-aborted-error.js'

/** What carries the requests of one origin: an HTTP/2 session, or the HTTP/1.1 connections. */
export interface Carrier {
  /** Nothing is under way, and nobody waits. */
  readonly idle: boolean
  /** A request was sent with it. */
  readonly isUsed: boolean
  /** Resolves when no connection is left. */
  readonly ended: Promise<void>
  /**
   * Waits for the turn of one request. False if the carrier takes nothing any more: nothing was sent.
   * @throws HttpRequestError `ABORTED`
   */
  reserve(signal: AbortSignal): Promise<boolean>
  /** Sends the request whose turn was reserved. @throws HttpRequestError */
  send(request: HttpRequest): Promise<HttpAnswer>
  /** Requests at a time from now on. */
  resize(maxConcurrent: number): void
  /** Takes nothing new; what is under way goes on, then the connections are closed. */
  retire(): void
  /** Ends everything now. */
  destroy(): void
}

export interface CarrierParts {
  maxConcurrent: number
  exchange(request: HttpRequest): Promise<HttpAnswer>
  /** Called once, when nothing new will be sent. */
  onRetired?(): void
  /** Closes the connections, whatever is under way. May be called more than once. */
  disconnect(): void
  /** Resolves when they are closed, for whatever reason. */
  disconnected: Promise<void>
}

/** Turns, and the end, which are the same for both versions of HTTP. */
export function createCarrier(parts: CarrierParts): Carrier {
  const slots = createSlots(parts.maxConcurrent)
  const retired = new Error('The carrier takes nothing new')
  let usable = true
  let isUsed = false

  function retire(): void {
    if (!usable) return
    usable = false
    slots.refuseWaiting(retired)
    parts.onRetired?.()
    endWhenDone()
  }

  /** At once, because a peer that does not answer any more would keep its side open for a long time. */
  function endWhenDone(): void {
    if (!usable && slots.held === 0) parts.disconnect()
  }

  return {
    get idle() {
      return slots.held === 0 && slots.waiting === 0
    },
    get isUsed() {
      return isUsed
    },
    ended: parts.disconnected.then(retire),
    async reserve(signal) {
      try {
        if (!usable) return false
        await slots.acquire(signal)
        return true
      } catch (error) {
        if (error === retired) return false
        throw toAbortedError(signal, { sent: false })
      }
    },
    async send(request) {
      try {
        isUsed = true
        return await parts.exchange(request)
      } finally {
        slots.release()
        endWhenDone()
      }
    },
    resize: slots.resize,
    retire,
    destroy() {
      retire()
      parts.disconnect()
    },
  }
}
