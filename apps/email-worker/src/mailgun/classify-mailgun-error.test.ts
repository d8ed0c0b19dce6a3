import { HttpRequestError, type HttpRequestFailure } from '@mono/http-client'
import { expect, test } from 'vitest'
import { classifyMailgunError } from './classify-mailgun-error.js'

const lost = (code: HttpRequestFailure, sent: boolean, cause?: unknown) =>
  classifyMailgunError(new HttpRequestError(code, 'It went wrong', { sent, cause }))

test.each<[HttpRequestFailure, string]>([
  ['CONNECTION_LOST', 'CONNECTION_LOST'],
  ['ABORTED', 'TIMEOUT'],
])('after %s, what was sent may have been taken', (failure, code) => {
  expect(lost(failure, true)).toMatchObject({
    fault: 'unknown',
    error: { outcome: 'unknown', code, message: 'Mailgun had the mail, but its answer was lost (It went wrong)' },
  })
})

test.each<[HttpRequestFailure, string]>([
  ['CONNECTION_FAILED', 'CONNECTION_FAILED'],
  ['UNPROCESSED', 'UNPROCESSED'],
  ['ABORTED', 'TIMEOUT'],
  ['CLIENT_CLOSED', 'CLIENT_CLOSED'],
])('after %s, what was not sent was not taken', (failure, code) => {
  expect(lost(failure, false)).toMatchObject({ fault: 'server', error: { outcome: 'provider', code } })
})

test.each([
  [Object.assign(new Error('connect'), { code: 'ECONNREFUSED' }), 'ECONNREFUSED'],
  [new Error('It took longer than 5000 ms'), 'It took longer than 5000 ms'],
])('the words say what is behind it', (cause, words) => {
  const { error } = lost('CONNECTION_FAILED', false, cause)
  expect(error.message).toBe(`Mailgun cannot be reached (It went wrong: ${words})`)
})

test('an error of the program is not taken for the network’s', () => {
  const error = new TypeError('bug')
  expect(() => classifyMailgunError(error)).toThrow(error)
})
