import { expect, test } from 'vitest'
import { replayHeaders } from './replay-headers.js'

test('keeps what the publisher said, and nothing of the life that ended', () => {
  const publishers = {
    'x-tenant-id': 42,
    'x-schema-version': 1,
    'x-published-at': '2025-04-01T09:30:00.250Z',
    traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    tracestate: 'a=1',
    'x-mine': 'kept',
  }
  const ended = {
    rascal: { recovery: {} },
    CC: ['push.notifications.10s'],
    'x-death': [{}],
    'x-first-death-queue': 'push.notifications',
    'x-last-death-reason': 'expired',
    'x-delivery-count': 3,
    'x-attempts': 3,
    'x-original-exchange': 'notifications',
    'x-original-routing-key': 'push.web',
    'x-original-expiration': '1000',
    'x-failure-code': 'UNCLASSIFIED',
    'x-failure-message': 'no luck',
    'x-failure-stack': 'Error: no luck',
    'x-failed-at': '2025-04-01T09:31:00.000Z',
    'x-failed-by': 'push-worker@host',
    'x-first-failure-code': 'UNCLASSIFIED',
    'x-first-failure-message': 'no luck',
    'x-first-failure-at': '2025-04-01T09:30:30.000Z',
    'x-replay': '2025-04-02T00:00:00.000Z',
  }
  expect(replayHeaders({ ...ended, ...publishers }, new Date('2025-05-01T00:00:00Z'))).toEqual({
    ...publishers,
    'x-replay': '2025-05-01T00:00:00.000Z',
  })
})
