import { expect, test } from 'vitest'
import { classifyTokenAnswer } from './classify-token-answer.js'

const answer = (status: number, body: string | object = '', headers = {}) => ({
  status,
  headers,
  body: Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)),
  complete: true,
})
const grant = { access_token: 'ya29.abc', expires_in: 3599, token_type: 'Bearer' }

test.each([grant, { ...grant, token_type: 'bearer' }, { access_token: 'ya29.abc', expires_in: 3599 }])(
  '%j is a token',
  (body) => {
    expect(classifyTokenAnswer(answer(200, body), 0)).toEqual({
      kind: 'granted',
      accessToken: 'ya29.abc',
      lifetimeMs: 3_599_000,
    })
  },
)

test.each([
  '<html>Sign in</html>',
  'null',
  { ...grant, access_token: '' },
  { ...grant, access_token: 'two words' },
  { ...grant, access_token: undefined },
  { ...grant, expires_in: 0 },
  { ...grant, expires_in: '3599' },
  { ...grant, token_type: 'mac' },
])('a 200 with %j has no token, and shows nothing of what it has', (body) => {
  expect(classifyTokenAnswer(answer(200, body), 0)).toEqual({
    kind: 'unavailable',
    reason: 'HTTP 200 without an access token',
  })
})

test.each([400, 401, 403, 404, 302])('a %i is about the settings or the clock', (status) => {
  const body = { error: 'invalid_grant', error_description: 'Invalid JWT Signature.' }
  expect(classifyTokenAnswer(answer(status, body), 0)).toEqual({
    kind: 'refused',
    reason: `HTTP ${status}: Invalid JWT Signature.`,
  })
})

test.each([500, 502, 503, 429, 408])('a %i passes', (status) => {
  expect(classifyTokenAnswer(answer(status), 0)).toEqual({ kind: 'unavailable', reason: `HTTP ${status}` })
  expect(classifyTokenAnswer(answer(status, 'busy', { 'retry-after': '30' }), 0)).toEqual({
    kind: 'unavailable',
    reason: `HTTP ${status}: busy`,
    waitMs: 30_000,
  })
})
