import { EventEmitter } from 'node:events'
import type { ClientHttp2Session } from 'node:http2'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { pingWhenQuiet } from './ping-when-quiet.js'

beforeEach(() => void vi.useFakeTimers())

afterEach(() => {
  expect(vi.getTimerCount()).toBe(0)
  vi.useRealTimers()
})

/** A session that counts its PINGs, and answers none. */
function setUp() {
  let silences = 0
  const state = { closed: false, destroyed: false, pings: 0 }
  const socket = { bytesRead: 0 }
  const ping = () => {
    if (state.destroyed) throw new Error('The session has been destroyed')
    state.pings += 1
  }
  const session = Object.defineProperties(new EventEmitter(), {
    closed: { get: () => state.closed },
    destroyed: { get: () => state.destroyed },
    ping: { value: ping },
  })
  const onSilence = () => {
    silences += 1
  }
  pingWhenQuiet({ session: session as unknown as ClientHttp2Session, socket, pingMs: 1000, pongMs: 100, onSilence })
  return { state, socket, silences: () => silences, end: () => session.emit('close') }
}

test('a server is asked when nothing has come for a while, and told silent when it does not answer', () => {
  const { state, socket, silences, end } = setUp()
  socket.bytesRead = 9
  vi.advanceTimersByTime(1000)
  expect(state.pings).toBe(0)
  vi.advanceTimersByTime(1000)
  expect([state.pings, silences()]).toEqual([1, 0])
  vi.advanceTimersByTime(100)
  expect(silences()).toBe(1)
  end()
})

test('a session that was destroyed and has not said so yet is not asked: it would throw', () => {
  const { state, end } = setUp()
  state.destroyed = true
  vi.advanceTimersByTime(10_000)
  expect(state.pings).toBe(0)
  end()
})
