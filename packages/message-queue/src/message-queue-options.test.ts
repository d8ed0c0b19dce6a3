import { describe, expect, test } from 'vitest'
import { silentLogger } from './logger.js'
import { resolveMessageQueueOptions } from './message-queue-options.js'

const url = 'amqp://mono:secret@localhost:5672/mono'

describe('resolveMessageQueueOptions', () => {
  test('needs an address and has a default for everything else', () => {
    expect(resolveMessageQueueOptions({ url })).toEqual({
      urls: [url],
      connectionName: 'mono',
      logger: silentLogger,
      topologyMode: 'declare',
      deadlineMs: 10_000,
      maxInFlight: 1_000,
      maxBufferedMessages: 10_000,
      maxBufferedBytes: 67_108_864,
      heartbeatSeconds: 10,
    })
  })

  test('takes what is given', () => {
    const given = {
      connectionName: 'app',
      logger: { ...silentLogger },
      deadlineMs: 1,
      maxInFlight: 1,
      maxBufferedMessages: 0,
      maxBufferedBytes: 0,
      heartbeatSeconds: 1,
    }
    const urls = ['amqp://one', 'amqps://two:5671/mono']
    expect(resolveMessageQueueOptions({ url: urls, topology: 'check', ...given })).toEqual({
      urls,
      topologyMode: 'check',
      ...given,
    })
  })

  test('asks for an address', () => {
    expect(() => resolveMessageQueueOptions({ url: [] })).toThrow(
      new RangeError('url: expected at least one address, found none'),
    )
  })

  test.each(['', 'localhost', 'http://localhost', 'amqp://', 'amqp://user:hunter2@', 'amqp://user:hunter2@host:port'])(
    'refuses the address "%s" without repeating it, because it holds a password',
    (address) => {
      const resolve = () => resolveMessageQueueOptions({ url: [url, address] })
      expect(resolve).toThrow(/^url: expected amqp:\/\/user:password@host:port\/vhost or amqps:/)
      expect(resolve).not.toThrow(/hunter2/)
    },
  )

  test.each([
    ['deadlineMs', 0, 1],
    ['deadlineMs', Number.NaN, 1],
    ['maxInFlight', 0, 1],
    ['maxInFlight', 1.5, 1],
    ['maxBufferedMessages', -1, 0],
    ['maxBufferedBytes', Number.POSITIVE_INFINITY, 0],
    ['heartbeatSeconds', 0, 1],
  ])('refuses %s %d with the reason', (name, value, min) => {
    expect(() => resolveMessageQueueOptions({ url, [name]: value })).toThrow(
      new RangeError(`${name}: expected an integer of at least ${min}, found ${value}`),
    )
  })
})
