import { expect, test } from 'vitest'
import { header } from './headers.js'

test('the headers on the wire have the names that other clients and tools rely on', () => {
  expect(Object.values(header)).toEqual([
    'x-tenant-id',
    'x-schema-version',
    'x-published-at',
    'x-attempts',
    'x-progress-at',
    'x-resume-at',
    'x-original-exchange',
    'x-original-routing-key',
    'x-original-expiration',
    'x-failure-code',
    'x-failure-message',
    'x-failure-stack',
    'x-failed-at',
    'x-failed-by',
    'x-first-failure-code',
    'x-first-failure-message',
    'x-first-failure-at',
    'x-headers-left-out',
    'x-replay',
  ])
})
