import { expect, test, vi } from 'vitest'
import { connectRealtime, RealtimeError, type RealtimeOptions } from './index.js'

const options: RealtimeOptions = {
  url: 'ws://127.0.0.1:1/ws',
  getToken: () => Promise.reject(new Error('HTTP 401')),
  loadAfter: async () => [],
  onError: () => {},
}

test.each([
  ['url', 'https://rabbitmq.example.com/ws', /ws:\/\/ or wss:\/\/, found https/],
  ['url', [], /one or more addresses/],
  ['url', ['wss://a.example.com', 7], /found wss:\/\/a.example.com,7/],
  ['url', '/ws', /begin with ws/],
  ['getToken', 'token', /a function/],
  ['loadAfter', undefined, /a function/],
  ['checkEverySeconds', 0, /from 1 to 3600, found 0/],
  ['keepaliveSeconds', '20', /found 20/],
  ['timeoutSeconds', Number.NaN, /found NaN/],
])('%s is refused if it is %j', (name, value, reason) => {
  const connect = () => connectRealtime({ ...options, [name]: value })
  expect(connect).toThrow(TypeError)
  expect(connect).toThrow(`connectRealtime: ${name}: expected`)
  expect(connect).toThrow(reason)
})

test.each([
  ['', { after: 0, onMessage: () => {} }, /an id/],
  ['a', { onMessage: () => {} }, /after: .* found undefined/],
  ['a', { after: -1, onMessage: () => {} }, /found -1/],
  ['a', { after: '7', onMessage: () => {} }, /found 7/],
  ['a', { after: 0 }, /onMessage/],
  ['a', { after: 0, onMessage: () => {}, onState: 'live' }, /onState/],
  ['a', undefined, /after/],
])('subscribe(%j, %j) is refused', (conversationId, subscribeOptions, reason) => {
  const realtime = connectRealtime(options)
  expect(() => realtime.subscribe(conversationId, subscribeOptions as never)).toThrow(reason)
  realtime.close()
})

test('without onError what goes wrong is a warning on the console', async () => {
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => {})
  const { onError: _, ...others } = options
  const realtime = connectRealtime(others)
  await vi.waitFor(() => expect(warn).toHaveBeenCalled())
  realtime.close()
  const [text, error] = warn.mock.calls[0] ?? []
  expect(text).toBe('RealtimeError TOKEN_UNAVAILABLE: getToken failed: HTTP 401')
  expect(error).toBeInstanceOf(RealtimeError)
})
