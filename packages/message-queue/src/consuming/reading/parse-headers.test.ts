import { describe, expect, test } from 'vitest'
import { type ConsumeMessageParts, createConsumeMessage } from '../../../test/support/create-consume-message.js'
import { InvalidDeliveryError } from '../../errors/invalid-delivery-error.js'
import { headerBytes } from '../../header-bytes.js'
import { maxHeaderBytes } from '../../headers.js'
import { parseHeaders } from './parse-headers.js'

type Headers = Record<string, unknown>

function parse(headers: Headers, parts: ConsumeMessageParts = {}) {
  return parseHeaders('push.notifications', createConsumeMessage(parts), headers)
}

function findFault(headers: Headers, parts: ConsumeMessageParts = {}): InvalidDeliveryError {
  try {
    parse(headers, parts)
  } catch (error) {
    if (error instanceof InvalidDeliveryError) return error
    throw error
  }
  throw new Error('expected a fault, found none')
}

const backFromRetry = {
  'x-original-exchange': 'notifications',
  'x-original-routing-key': 'push.mobile',
}

describe('parseHeaders', () => {
  test('asks nothing of a plain client', () => {
    expect(parse({})).toEqual({
      messageId: undefined,
      tenantId: undefined,
      publishedAt: undefined,
      replay: undefined,
      attempts: 0,
      exchange: 'notifications',
      routingKey: 'push.web',
    })
  })

  test('reads what our own publisher sets', () => {
    const headers = {
      'x-tenant-id': 42,
      'x-schema-version': 1,
      'x-published-at': '2025-04-01T09:30:00.250Z',
      'x-attempts': 2,
      ...backFromRetry,
    }
    const parts = { exchange: 'push.notifications.retry', routingKey: 'work' }
    expect(parse(headers, { ...parts, properties: { messageId: 'm-1', timestamp: 1 } })).toMatchObject({
      messageId: 'm-1',
      tenantId: 42,
      publishedAt: new Date('2025-04-01T09:30:00.250Z'),
      attempts: 2,
    })
  })

  test('counts no attempts of a message that does not come back from a retry', () => {
    expect(parse({ 'x-attempts': 2 }).attempts).toBe(0)
  })

  const faults: { what: string; headers?: Headers; properties?: Headers; names: RegExp }[] = [
    {
      what: 'an x-death that is text',
      headers: { 'x-death': 'boo' },
      names: /^x-death: expected a list, found string/,
    },
    {
      what: 'an x-death with text in it',
      headers: { 'x-death': ['a'] },
      names: /^x-death: expected tables in the list/,
    },
    { what: 'an x-death that is null', headers: { 'x-death': null }, names: /^x-death: expected a list/ },
    { what: 'a negative x-attempts', headers: { 'x-attempts': -1e9 }, names: /^x-attempts: .* found -1000000000$/ },
    { what: 'a fractional x-attempts', headers: { 'x-attempts': 1.5 }, names: /^x-attempts: .* found 1\.5$/ },
    { what: 'an x-attempts that is NaN', headers: { 'x-attempts': Number.NaN }, names: /^x-attempts: .* found NaN$/ },
    { what: 'an x-attempts past 1000', headers: { 'x-attempts': 1_001 }, names: /^x-attempts: expected .* to 1000,/ },
    {
      what: 'many small headers that are large on the wire',
      headers: { many: Array(14_000).fill([]) },
      names: /^headers: expected at most \d+ bytes/,
    },
    {
      what: 'headers nested 9,000 deep',
      headers: { deep: JSON.parse('['.repeat(9_000) + ']'.repeat(9_000)) },
      names: /^headers: expected at most \d+ bytes/,
    },
    {
      what: 'a header that amqplib cannot send on',
      headers: { broken: Number.NaN },
      names: /^headers: expected at most \d+ bytes that can be sent on, found some that cannot$/,
    },
    {
      what: '70 KiB of headers',
      headers: { big: 'x'.repeat(70 * 1024) },
      names: /^headers: expected at most \d+ bytes/,
    },
    {
      what: 'another x-schema-version',
      headers: { 'x-schema-version': 2 },
      names: /^x-schema-version: expected 1, found 2/,
    },
    {
      what: 'another x-schema-version as text',
      headers: { 'x-schema-version': '2' },
      names: /^x-schema-version: expected 1, found 2$/,
    },
    {
      what: 'an x-schema-version of three parts',
      headers: { 'x-schema-version': '1.0.0' },
      names: /^x-schema-version: expected 1, found string$/,
    },
    {
      what: 'a textual x-attempts past 1000',
      headers: { 'x-attempts': '1001' },
      names: /^x-attempts: expected .* found 1001$/,
    },
    { what: 'an x-attempts that is a word', headers: { 'x-attempts': 'one' }, names: /^x-attempts: .* found string$/ },
    { what: 'an x-attempts that is a list', headers: { 'x-attempts': [1] }, names: /^x-attempts: .* found object$/ },
    {
      what: 'an x-published-at of AMQP’s own type that is out of range',
      headers: { 'x-published-at': { '!': 'timestamp', value: 2 ** 63 } },
      names: /^x-published-at: /,
    },
    { what: 'an x-published-at that is garbage', headers: { 'x-published-at': 'soon' }, names: /^x-published-at: / },
    {
      what: 'an x-published-at that only looks like a time to the parser of JavaScript',
      headers: { 'x-published-at': 'garbage 12' },
      names: /^x-published-at: expected an ISO 8601 date and time with offset$/,
    },
    {
      what: 'an x-published-at without an offset',
      headers: { 'x-published-at': '2025-04-01T09:30:00.250' },
      names: /^x-published-at: /,
    },
    {
      what: 'an x-published-at of the year 275760',
      headers: { 'x-published-at': '+275760-09-13T00:00:00.000Z' },
      names: /^x-published-at: /,
    },
    { what: 'an x-published-at that is a number', headers: { 'x-published-at': 1e12 }, names: /^x-published-at: / },
    {
      what: 'an x-published-at of month 13',
      headers: { 'x-published-at': '2025-13-01T00:00:00Z' },
      names: /^x-published-at: /,
    },
    { what: 'a timestamp of 1e300', properties: { timestamp: 1e300 }, names: /^timestamp: expected seconds/ },
    { what: 'a negative timestamp', properties: { timestamp: -1 }, names: /^timestamp: / },
    { what: 'a timestamp that is NaN', properties: { timestamp: Number.NaN }, names: /^timestamp: / },
    {
      what: 'a message_id of 129 bytes',
      properties: { messageId: 'x'.repeat(129) },
      names: /^message_id: .*128 bytes/,
    },
    { what: 'a message_id with a line break', properties: { messageId: 'a\nb' }, names: /^message_id: .*control/ },
    { what: 'an x-tenant-id of 0', headers: { 'x-tenant-id': 0 }, names: /^x-tenant-id: / },
    { what: 'an x-tenant-id beyond 2^53−1', headers: { 'x-tenant-id': 2 ** 53 }, names: /^x-tenant-id: / },
    {
      what: 'a textual x-tenant-id beyond 2^53−1',
      headers: { 'x-tenant-id': '9007199254740993' },
      names: /^x-tenant-id: /,
    },
    { what: 'an x-tenant-id that is no number', headers: { 'x-tenant-id': '1e3' }, names: /^x-tenant-id: / },
  ]
  test.each(faults.map((row) => [row.what, row] as const))('refuses %s by its name', (_what, row) => {
    const { headers = {}, properties = {}, names } = row
    const fault = findFault(headers, { properties })
    expect(fault.code).toBe('INVALID_HEADERS')
    expect(fault.message).toMatch(names)
  })

  test.each([
    ['a list in x-death', { 'x-death': [{ queue: 'push.notifications', reason: 'expired' }] }],
    [
      'a forged rascal header',
      { rascal: { recovery: { 'push.notifications': { forwarded: -1e9, immediateNack: true } } } },
    ],
    ['a rascal header that is text', { rascal: 'boo' }],
    ['headers of others', { 'x-mine': 'kept', nested: { list: [1, null, true] } }],
  ])('takes no offence at %s', (_what, headers) => {
    expect(parse(headers)).toMatchObject({ attempts: 0, exchange: 'notifications', routingKey: 'push.web' })
  })

  test('does not hold against a message what the broker and we have added to it on its way', () => {
    const own = 'x'.repeat(maxHeaderBytes - 20)
    const added = {
      'x-first-failure-message': 'x'.repeat(1_024),
      'x-death': Array(20).fill({
        queue: 'push.notifications.retry.10s',
        reason: 'expired',
        exchange: 'push.notifications.retry',
      }),
      rascal: { error: { message: 'x'.repeat(1_024) } },
    }
    expect(headerBytes({ own })).toBeLessThanOrEqual(maxHeaderBytes)
    expect(parse({ own, ...added }).attempts).toBe(0)
  })

  test.each(['x-tenant-id', 'x-schema-version', 'x-attempts'])(
    'takes the number in %s in any numeric type of AMQP, and in its digits as text',
    (name) => {
      const decimals = [
        { '!': 'decimal', value: { places: 0, digits: 1 } },
        { '!': 'decimal', value: { places: 2, digits: 100 } },
      ]
      for (const one of [1, 1.0, '1', '01', '0000000000000000001', ' 1', '1\t', '1.0', '1.000', ...decimals]) {
        const { tenantId, attempts } = parse(
          { [name]: one, ...backFromRetry },
          { exchange: 'push.notifications.retry' },
        )
        expect([one, tenantId, attempts]).toEqual([
          one,
          name === 'x-tenant-id' ? 1 : undefined,
          name === 'x-attempts' ? 1 : 0,
        ])
      }
    },
  )

  test.each(['x-tenant-id', 'x-schema-version', 'x-attempts'])('refuses in %s what is no whole number', (name) => {
    const values = [
      ...[1.5, '1.5', '1.', '.1', '1e0', '0x1', '+1', '-1', '1 1', '1,0', '１', 'true', ' ', '1\n', '9'.repeat(17)],
      ...[true, [], {}, Buffer.from('1'), { '!': 'decimal', value: { places: 1, digits: 15 } }, { '!': 'decimal' }],
      { '!': 'timestamp', value: 1 },
    ]
    for (const value of values) {
      const fault = findFault({ [name]: value })
      expect([value, fault.code, fault.message.split(':')[0]]).toEqual([value, 'INVALID_HEADERS', name])
    }
  })

  test.each(['x-tenant-id', 'x-schema-version', 'x-attempts', 'x-published-at'])(
    'takes an empty %s for none',
    (name) => {
      for (const empty of [null, '', undefined]) expect(parse({ [name]: empty })).toEqual(parse({}))
    },
  )

  test('takes the largest tenant as text', () => {
    expect(parse({ 'x-tenant-id': '9007199254740991' }).tenantId).toBe(Number.MAX_SAFE_INTEGER)
  })

  test('takes an empty message_id for none', () => {
    expect(parse({}, { properties: { messageId: '' } }).messageId).toBeUndefined()
  })

  test('takes a message_id of 128 bytes', () => {
    const messageId = 'é'.repeat(64)
    expect(parse({}, { properties: { messageId } }).messageId).toBe(messageId)
  })

  test.each<[string, unknown]>([
    ['our client', '2025-04-01T09:30:00.000Z'],
    ['an offset', '2025-04-01T11:30:00.000+02:00'],
    ['PHP', '2025-04-01T11:30:00+0200'],
    ['Python', '2025-04-01 09:30:00.000001+00:00'],
    ['Java', '2025-04-01T09:30Z'],
    ['Go', '2025-04-01T09:30:00.000999999Z'],
    ['AMQP’s own type', { '!': 'timestamp', value: 1_743_499_800 }],
  ])('takes the time of publishing from an x-published-at as of %s: %j', (_writer, value) => {
    const publishedAt = new Date('2025-04-01T09:30:00Z')
    expect(parse({ 'x-published-at': value }).publishedAt).toEqual(publishedAt)
    expect(parse({ 'x-replay': value }).replay).toEqual({ at: publishedAt })
  })

  test('knows a replay by its header, and when it was if the header tells', () => {
    expect(parse({ 'x-replay': '2025-06-01T00:00:00.001Z' }).replay).toEqual({
      at: new Date('2025-06-01T00:00:00.001Z'),
    })
    for (const mark of [true, 1, '2025-06-01', '2025-13-01T00:00:00Z']) {
      expect(parse({ 'x-replay': mark }).replay).toEqual({ at: undefined })
    }
  })

  test.each([{}, { 'x-published-at': '' }])(
    'does not take a foreign timestamp for the time of publishing: %j',
    (headers) => {
      expect(parse(headers, { properties: { timestamp: 1_743_499_800 } }).publishedAt).toBeUndefined()
    },
  )

  test('believes the original routing of a message that comes back from the retry exchange', () => {
    expect(parse(backFromRetry, { exchange: 'push.notifications.retry', routingKey: 'work' })).toMatchObject({
      exchange: 'notifications',
      routingKey: 'push.mobile',
    })
  })

  test.each(['notifications', 'audit.events.retry', 'dead-letter', ''])(
    'does not believe it of a message from the exchange "%s"',
    (exchange) => {
      expect(parse(backFromRetry, { exchange })).toMatchObject({ exchange, routingKey: 'push.web' })
    },
  )

  test.each([
    ['x-original-exchange', undefined],
    ['x-original-exchange', 7],
    ['x-original-routing-key', undefined],
    ['x-original-routing-key', ['push.mobile']],
  ])('refuses a message from the retry exchange whose %s is %j', (name, value) => {
    const fault = findFault({ ...backFromRetry, [name]: value }, { exchange: 'push.notifications.retry' })
    expect(fault.code).toBe('INVALID_HEADERS')
    expect(fault.message).toContain(`${name}: expected text on a message from the retry exchange`)
  })
})
