import { HttpRequestError } from '@mono/http-client'
import { describe, expect, test } from 'vitest'
import { classifyApnsError } from './classify-apns-error.js'

const systemError = (code: string) => Object.assign(new Error(code), { code })

test.each(['ECONNREFUSED', 'ENOTFOUND'])('no connection (%s): all devices of the origin wait', (code) => {
  const error = new HttpRequestError('CONNECTION_FAILED', 'x', { sent: false, cause: systemError(code) })
  expect(classifyApnsError(error)).toEqual({
    result: { kind: 'defer', code: 'CONNECTION_FAILED', reason: code },
    origin: { kind: 'down', code: 'CONNECTION_FAILED' },
  })
})

test('no answer in time: retried, and a mark against the origin', () => {
  expect(classifyApnsError(new HttpRequestError('ABORTED', 'x', { sent: true }))).toEqual({
    result: { kind: 'retry', code: 'TIMEOUT' },
    origin: { kind: 'failing', code: 'TIMEOUT' },
  })
})

test('no turn in time: no attempt is counted, and a mark against the origin', () => {
  expect(classifyApnsError(new HttpRequestError('ABORTED', 'x', { sent: false }))).toEqual({
    result: { kind: 'defer', code: 'ORIGIN_BUSY' },
    origin: { kind: 'failing', code: 'ORIGIN_BUSY' },
  })
})

describe('a request that a GOAWAY ended', () => {
  const goaway = (data: string) => ({ origin: 'https://a.example.com', errorCode: 0, lastStreamId: 1, data })

  test.each([
    ['CONNECTION_LOST', true, 'retry'],
    ['UNPROCESSED', false, 'defer'],
  ] as const)('%s: Apple’s word for it is the reason', (code, sent, kind) => {
    const error = new HttpRequestError(code, 'x', { sent, goaway: goaway('{"reason":"Shutdown"}') })
    expect(classifyApnsError(error)).toEqual({
      result: { kind, code: 'CONNECTION_LOST', reason: 'GOAWAY: Shutdown' },
      origin: { kind: 'failing', code: 'CONNECTION_LOST' },
    })
  })

  test.each(['', 'Shutdown', '{"reason":"<b>"}'])('without a word of Apple’s (%j) has no reason', (data) => {
    const error = new HttpRequestError('CONNECTION_LOST', 'x', { sent: true, goaway: goaway(data) })
    expect(classifyApnsError(error).result).toEqual({ kind: 'retry', code: 'CONNECTION_LOST' })
  })
})

test('a bug is thrown', () => {
  const bug = new TypeError('x is not a function')
  expect(() => classifyApnsError(bug)).toThrow(bug)
})
