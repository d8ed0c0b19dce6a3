import { HttpRequestError, type HttpRequestFailure } from '@mono/http-client'
import { expect, test } from 'vitest'
import { classifyPushError } from './classify-push-error.js'
import { RefusedAddressError } from './endpoint-guard.js'

const failure = (code: HttpRequestFailure, sent: boolean, cause?: unknown) =>
  new HttpRequestError(code, 'failed', { sent, cause })

const systemError = (code: string) => Object.assign(new Error(code), { code })

test('a host that leads to an address of ours is refused, and says nothing of the push service', () => {
  expect(classifyPushError(failure('CONNECTION_FAILED', false, new RefusedAddressError('private')))).toEqual({
    result: { kind: 'failed', code: 'ENDPOINT_REFUSED' },
    origin: { kind: 'none' },
  })
})

test.each(['ECONNREFUSED', 'ENETUNREACH', 'EAI_AGAIN', 'CERT_HAS_EXPIRED'])(
  'without a connection (%s) the device waits until the push service is back',
  (code) => {
    expect(classifyPushError(failure('CONNECTION_FAILED', false, systemError(code)))).toEqual({
      result: { kind: 'defer', code: 'CONNECTION_FAILED', reason: code },
      origin: { kind: 'down', code: 'CONNECTION_FAILED' },
    })
  },
)

test('a host that does not exist is tried so many times, not until the message expires', () => {
  expect(classifyPushError(failure('CONNECTION_FAILED', false, systemError('ENOTFOUND')))).toMatchObject({
    result: { kind: 'retry', code: 'CONNECTION_FAILED' },
    origin: { kind: 'failing' },
  })
})

test.each([
  ['ABORTED', true, 'retry', 'TIMEOUT'],
  ['ABORTED', false, 'defer', 'TIMEOUT'],
  ['CONNECTION_LOST', true, 'retry', 'CONNECTION_LOST'],
  ['UNPROCESSED', false, 'defer', 'CONNECTION_LOST'],
] as const)('%s with sent = %s: %s, %s', (failureCode, sent, kind, code) => {
  expect(classifyPushError(failure(failureCode, sent))).toEqual({
    result: { kind, code },
    origin: { kind: 'failing', code },
  })
})

test('an error that is not the network’s is thrown on', () => {
  const bug = new TypeError('x is not a function')
  expect(() => classifyPushError(bug)).toThrow(bug)
})
