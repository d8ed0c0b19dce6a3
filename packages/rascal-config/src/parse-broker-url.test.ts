import { expect, it } from 'vitest'
import { BrokerUrlError } from './broker-url-error.js'
import { parseBrokerUrl } from './parse-broker-url.js'

it('takes a URL apart', () => {
  expect(parseBrokerUrl('amqps://mono:p%40ss@broker:5673/mono?heartbeat=3')).toEqual({
    protocol: 'amqps:',
    host: 'broker',
    port: 5673,
    vhost: 'mono',
    credentials: { user: 'mono', password: 'p@ss' },
    name: 'broker:5673/mono',
    url: 'amqps://broker:5673/mono?heartbeat=3',
  })
})

it.each([
  ['amqp://broker', { port: 5672, vhost: '/', name: 'broker:5672/', url: 'amqp://broker' }],
  ['amqps://broker/', { port: 5671, vhost: '/', name: 'broker:5671/', url: 'amqps://broker/' }],
  ['amqp://broker/%2F', { vhost: '/', name: 'broker:5672/', url: 'amqp://broker/%2F' }],
  ['amqp://u:p@broker/a%2Fb', { vhost: 'a/b', name: 'broker:5672/a/b', url: 'amqp://broker/a%2Fb' }],
  ['AMQP://[::1]/mono', { protocol: 'amqp:', host: '[::1]', name: '[::1]:5672/mono' }],
])('reads %s', (text, expected) => {
  expect(parseBrokerUrl(text)).toMatchObject(expected)
})

it.each([
  ['us%3Aer:p%3Aw', { user: 'us:er', password: 'p:w' }],
  ['us%40er:p%40%2F%3F%23%25w', { user: 'us@er', password: 'p@/?#%w' }],
  ['%C3%BCser:p%C3%A4ss', { user: 'üser', password: 'päss' }],
  ['user:', { user: 'user', password: '' }],
  ['user', { user: 'user', password: '' }],
  [':', undefined],
])('decodes user and password of %s as UTF-8', (given, credentials) => {
  expect(parseBrokerUrl(`amqp://${given}@broker`).credentials).toEqual(credentials)
})

it('has no credentials if the URL names nobody', () => {
  expect(parseBrokerUrl('amqp://broker').credentials).toBeUndefined()
})

it.each([
  ['', 'nothing'],
  ['broker', 'a text that is not a URL (not shown)'],
  ['u:secret@broker', 'a text that is not a URL (not shown)'],
  ['http://u:secret@broker', 'a http:// URL'],
  ['amqp://', 'a amqp:// URL without a host'],
  ['amqp:///secret', 'a amqp:// URL without a host'],
  ['amqp://u:secret@', 'a amqp:// URL that cannot be parsed (not shown; is the password URL-encoded?)'],
  ['amqp://u:secret@broker:port', 'a amqp:// URL that cannot be parsed (not shown; is the password URL-encoded?)'],
  ['amqp://secret%zz@broker', 'a URL whose user name is not percent-encoded (write a literal % as %25)'],
  ['amqp://u:secret%E4@broker', 'a URL whose password is not percent-encoded (write a literal % as %25)'],
  ['amqps://u:secret@broker/%zz', 'a URL whose virtual host is not percent-encoded (write a literal % as %25)'],
])('refuses %j without quoting it', (text, found) => {
  const refusal = refusalOf(() => parseBrokerUrl(text, 'urls[0]'))
  expect(refusal.found).toBe(found)
  expect(refusal.message).toBe(`urls[0]: expected amqp://user:password@host:port/vhost or amqps://…, found ${found}`)
  expect(`${refusal.stack} ${refusal.cause}`).not.toContain('secret')
})

function refusalOf(parse: () => unknown): BrokerUrlError {
  try {
    parse()
  } catch (error) {
    if (error instanceof BrokerUrlError) return error
    throw error
  }
  throw new Error('Expected a refusal.')
}
