import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createMessageProperties } from './create-message-properties.js'

const message = { messageId: 'm-1', type: 'audit.event', tenantId: 42, appId: 'app' }

beforeEach(() => {
  vi.useFakeTimers({ now: new Date('2025-04-01T09:30:00.999Z') })
})

afterEach(() => {
  vi.useRealTimers()
})

test('a message carries its identity, type, tenant and time in properties, so that its body is the bare payload', () => {
  expect(createMessageProperties(message, {})).toEqual({
    messageId: 'm-1',
    type: 'audit.event',
    contentType: 'application/json',
    timestamp: 1_743_499_800,
    appId: 'app',
    correlationId: undefined,
    headers: { 'x-tenant-id': 42, 'x-schema-version': 1, 'x-published-at': '2025-04-01T09:30:00.999Z' },
  })
})

test('a message carries the correlation id and the trace context that it was given', () => {
  const given = { correlationId: 'c-1', traceparent: '00-0af7-b7ad-01', tracestate: 'a=1' }
  expect(createMessageProperties(message, given)).toMatchObject({
    correlationId: 'c-1',
    headers: { traceparent: '00-0af7-b7ad-01', tracestate: 'a=1' },
  })
})
