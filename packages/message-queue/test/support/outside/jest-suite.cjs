const client = require('@mono/message-queue')
const { examples } = require('@mono/contracts')
const roundTrip = require('./round-trip.cjs')

// @ts-ignore jest makes them global; this file is compiled with the types of vitest
const { expect, test } = globalThis

test('sends and consumes', async () => {
  expect(await roundTrip(client)).toEqual({ arrived: true, refused: true })
}, 30_000)

test('finds the error classes and the examples', () => {
  expect(new client.RetryableError('later')).toBeInstanceOf(client.MessageQueueError)
  expect(examples['audit.event'].tenantId).toBeGreaterThan(0)
})
