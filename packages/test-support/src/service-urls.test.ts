import { afterEach, expect, test, vi } from 'vitest'
import { brokerUrl, databaseServerUrl, managementUrl } from './service-urls.js'

afterEach(() => vi.unstubAllEnvs())

test('the first broker of a cluster is used', () => {
  vi.stubEnv('RABBITMQ_URL', 'amqp://a:b@one:5672/mono, amqp://a:b@two:5672/mono')
  expect(brokerUrl()).toBe('amqp://a:b@one:5672/mono')
})

test('the management API is by default at port 15672 of the broker, with its user', () => {
  vi.stubEnv('RABBITMQ_URL', 'amqp://admin:p%40ss@broker:5673/mono')
  vi.stubEnv('RABBITMQ_MANAGEMENT_URL', undefined)
  expect(managementUrl()).toBe('http://admin:p%40ss@broker:15672/')
})

test("a management URL without a user gets the broker's", () => {
  vi.stubEnv('RABBITMQ_URL', 'amqp://admin:secret@broker:5673/mono')
  vi.stubEnv('RABBITMQ_MANAGEMENT_URL', 'http://elsewhere:1234')
  expect(managementUrl()).toBe('http://admin:secret@elsewhere:1234/')
})

test('a missing address is an error that says how to get the services', () => {
  vi.stubEnv('RABBITMQ_URL', undefined)
  vi.stubEnv('DATABASE_URL', '')
  expect(brokerUrl).toThrow('RABBITMQ_URL is not set: this test needs real services. Run `npm test`')
  expect(databaseServerUrl).toThrow('eval "$(./scripts/setup-services.sh --env)"')
})
