import { BrokerUrlError } from '@mono/rascal-config'
import { expect, test } from 'vitest'
import { toBrokerEndpoint } from './broker-endpoint.js'

const heartbeatSeconds = 10

test('takes user and password out of the URL, and amqplib gets them as UTF-8', () => {
  const endpoint = toBrokerEndpoint('amqp://m%C3%BCller:p%40ss%C3%A9@broker:5673/mono', { heartbeatSeconds })
  expect(endpoint.url).toBe('amqp://broker:5673/mono?heartbeat=10')
  expect(endpoint.credentials?.response().toString('utf8')).toBe('\u0000müller\u0000p@ssé')
})

test('is known by host, port and vhost', () => {
  expect(toBrokerEndpoint('amqp://u:p@broker/a%2Fb', { heartbeatSeconds })).toMatchObject({
    name: 'broker:5672/a/b',
    vhost: 'a/b',
  })
  expect(toBrokerEndpoint('amqps://broker', { heartbeatSeconds })).toMatchObject({ name: 'broker:5671/', vhost: '/' })
})

test('leaves credentials to amqplib when the URL has none', () => {
  expect(toBrokerEndpoint('amqp://broker', { heartbeatSeconds }).credentials).toBeUndefined()
})

test('a heartbeat in the URL goes before the option', () => {
  expect(toBrokerEndpoint('amqp://broker/?heartbeat=3', { heartbeatSeconds }).url).toBe('amqp://broker/?heartbeat=3')
})

test('refuses what is no broker URL', () => {
  expect(() => toBrokerEndpoint('http://broker', { heartbeatSeconds })).toThrow(BrokerUrlError)
})
