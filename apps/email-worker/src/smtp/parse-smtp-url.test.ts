import { expect, test } from 'vitest'
import { parseSmtpUrl } from './parse-smtp-url.js'

test('without a port it is 587 with STARTTLS required, and 465 with TLS from the start', () => {
  expect(parseSmtpUrl('smtp://mail.example.com')).toMatchObject({ port: 587, secure: false, requireTls: true })
  expect(parseSmtpUrl('smtps://mail.example.com')).toMatchObject({ port: 465, secure: true, requireTls: false })
})

test('STARTTLS is required on port 587 only', () => {
  expect(parseSmtpUrl('smtp://mail.example.com:587').requireTls).toBe(true)
  expect(parseSmtpUrl('smtp://127.0.0.1:1025').requireTls).toBe(false)
})

test('user and password are decoded', () => {
  expect(parseSmtpUrl('smtp://a%40b:p%3Aw@[::1]:25').auth).toEqual({ user: 'a@b', pass: 'p:w' })
  expect(parseSmtpUrl('smtp://[::1]:25')).toMatchObject({ host: '::1' })
  expect(parseSmtpUrl('smtp://[::1]:25')).not.toHaveProperty('auth')
})

test.each([
  ['smtp://mail.example.com/inbox', 'nothing after the port'],
  ['smtp://mail.example.com?requireTLS=false', 'no parameter but maxConnections'],
  ['smtp://mail.example.com?maxConnections=0', 'an integer from 1 to 100'],
  ['smtp://mail.example.com?maxConnections=many', 'an integer from 1 to 100'],
  ['smtp://user:%E0@mail.example.com', 'URL-encoded'],
])('%s is refused', (url, reason) => {
  expect(() => parseSmtpUrl(url)).toThrow(reason)
})
