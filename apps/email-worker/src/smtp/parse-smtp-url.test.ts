import { expect, test } from 'vitest'
import { parseSmtpUrl } from './parse-smtp-url.js'

test('without a port it is 587 with STARTTLS required, and 465 with TLS from the start', () => {
  expect(parseSmtpUrl('smtp://mail.example.com')).toMatchObject({ port: 587, tls: 'required' })
  expect(parseSmtpUrl('smtps://mail.example.com')).toMatchObject({ port: 465, tls: 'implicit' })
})

test('STARTTLS is required on port 587 and wherever there is a password, unless the URL says otherwise', () => {
  expect(parseSmtpUrl('smtp://mail.example.com:587').tls).toBe('required')
  expect(parseSmtpUrl('smtp://u:p@mail.example.com:2525').tls).toBe('required')
  expect(parseSmtpUrl('smtp://127.0.0.1:1025').tls).toBe('opportunistic')
  expect(parseSmtpUrl('smtp://u:p@127.0.0.1:1025?tls=off').tls).toBe('off')
  expect(parseSmtpUrl('smtp://127.0.0.1:1025?tls=required').tls).toBe('required')
})

test('the limits of time are those of RFC 5321, and those of the URL', () => {
  const limits = { greetingTimeoutMs: 300_000, commandTimeoutMs: 300_000, finalDotTimeoutMs: 600_000 }
  expect(parseSmtpUrl('smtp://127.0.0.1')).toMatchObject(limits)
  const url = 'smtp://127.0.0.1?greetingTimeoutMs=1000&commandTimeoutMs=2000&finalDotTimeoutMs=3000'
  expect(parseSmtpUrl(url)).toMatchObject({ greetingTimeoutMs: 1000, commandTimeoutMs: 2000, finalDotTimeoutMs: 3000 })
})

test('user and password are decoded', () => {
  expect(parseSmtpUrl('smtp://a%40b:p%3Aw@[::1]:25').auth).toEqual({ user: 'a@b', pass: 'p:w' })
  expect(parseSmtpUrl('smtp://[::1]:25')).toMatchObject({ host: '::1' })
  expect(parseSmtpUrl('smtp://[::1]:25')).not.toHaveProperty('auth')
})

test.each([
  ['smtp://mail.example.com/inbox', 'nothing after the port'],
  ['smtp://mail.example.com?requireTLS=false', 'no parameters but tls, maxConnections'],
  ['smtp://mail.example.com?maxConnections=0', 'an integer from 1 to 100'],
  ['smtp://mail.example.com?maxConnections=many', 'an integer from 1 to 100'],
  ['smtp://mail.example.com?ratePerMinute=0', 'an integer from 1 to 100000'],
  ['smtp://mail.example.com?tls=maybe', 'tls to be required, opportunistic, off'],
  ['smtps://mail.example.com?tls=off', 'no parameter tls'],
  ['smtp://user:%E0@mail.example.com', 'URL-encoded'],
])('%s is refused', (url, reason) => {
  expect(() => parseSmtpUrl(url)).toThrow(reason)
})
