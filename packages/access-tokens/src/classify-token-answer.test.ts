import { expect, test } from 'vitest'
import { classifyTokenAnswer } from './classify-token-answer.js'

const answer = (status: number, body: string | object = '', headers = {}) => ({
  status,
  headers,
  body: Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)),
  complete: true,
})
const grant = { access_token: 'ya29.abc', expires_in: 3599, token_type: 'Bearer' }

test.each([
  grant,
  { ...grant, token_type: 'bearer' },
  { access_token: 'ya29.abc', expires_in: 3599 },
  { ...grant, expires_in: '3599' },
])('%j is a token', (body) => {
  expect(classifyTokenAnswer(answer(200, body), 0)).toEqual({
    kind: 'granted',
    accessToken: 'ya29.abc',
    lifetimeMs: 3_599_000,
  })
})

test.each([
  '<html>Sign in</html>',
  'null',
  { ...grant, access_token: '' },
  { ...grant, access_token: 'two words' },
  { ...grant, access_token: undefined },
  { ...grant, expires_in: 0 },
  { ...grant, expires_in: '1e3' },
  { ...grant, expires_in: null },
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
    error: 'invalid_grant',
  })
})

test('a refusal without a code of OAuth has none', () => {
  expect(classifyTokenAnswer(answer(403, '<html><title>Blocked</title></html>'), 0)).toEqual({
    kind: 'refused',
    reason: 'HTTP 403: Blocked',
  })
  expect(classifyTokenAnswer(answer(400, { error: { code: 400 } }), 0)).not.toHaveProperty('error')
})

test('an error that passes is none of the settings, whatever its status', () => {
  const body = { error: 'temporarily_unavailable', error_description: 'AADSTS90033: A transient error has occurred.' }
  expect(classifyTokenAnswer(answer(400, body), 0)).toEqual({
    kind: 'unavailable',
    reason: 'HTTP 400: AADSTS90033: A transient error has occurred.',
  })
})

test('a token whose end is not told is taken for an hour', () => {
  const { expires_in: _, ...endless } = grant
  expect(classifyTokenAnswer(answer(200, endless), 0)).toMatchObject({ kind: 'granted', lifetimeMs: 3_600_000 })
})

test('a refresh token that comes with a token is to be used from now on', () => {
  expect(classifyTokenAnswer(answer(200, { ...grant, refresh_token: '1//next' }), 0)).toMatchObject({
    kind: 'granted',
    refreshToken: '1//next',
  })
  expect(classifyTokenAnswer(answer(200, { ...grant, refresh_token: null }), 0)).not.toHaveProperty('refreshToken')
})

test.each([500, 502, 503, 429, 408])('a %i passes', (status) => {
  expect(classifyTokenAnswer(answer(status), 0)).toEqual({ kind: 'unavailable', reason: `HTTP ${status}` })
  expect(classifyTokenAnswer(answer(status, 'busy', { 'retry-after': '30' }), 0)).toEqual({
    kind: 'unavailable',
    reason: `HTTP ${status}: busy`,
    waitMs: 30_000,
  })
})
