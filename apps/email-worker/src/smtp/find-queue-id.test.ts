import { expect, test } from 'vitest'
import { findQueueId } from './find-queue-id.js'

test.each([
  ['250 2.0.0 Ok: queued as 74293630BCF', '74293630BCF'],
  ['250 2.0.0 Ok: queued as 4RTbCz3dQrz9sWd', '4RTbCz3dQrz9sWd'],
  ['250 OK id=1xXpi1-00000V-0Y', '1xXpi1-00000V-0Y'],
  ['250 2.0.0 5BU8kUxq012345 Message accepted for delivery', '5BU8kUxq012345'],
  ['250 2.0.0: 3d2b0c9a Message accepted for delivery', '3d2b0c9a'],
  ['250 2.0.0 OK  1700000000 a1b2-20020a05600c.41 - gsmtp', 'a1b2-20020a05600c.41'],
  [
    '250 2.6.0 <1@example.com> [InternalId=68719476737, Hostname=mail.example.com] Queued mail for delivery',
    '68719476737',
  ],
])('%s', (response, queueId) => {
  expect(findQueueId(response)).toBe(queueId)
})

test.each(['250 OK', '250 2.0.0 Ok', '250 Message accepted for delivery', '250 ok, goodbye', '', undefined])(
  '%s names none',
  (response) => {
    expect(findQueueId(response)).toBeUndefined()
  },
)

test('what could be anything is not kept', () => {
  expect(findQueueId(`250 queued as ${'a'.repeat(200)}`)).toBeUndefined()
})
