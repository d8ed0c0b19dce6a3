import { describe, expect, test } from 'vitest'
import { classifyMailgunAnswer } from './classify-mailgun-answer.js'

const now = Date.parse('2026-11-30T10:00:00Z')

const says = (message: string) => JSON.stringify({ message })
const page = (title: string) => `<html><head><title>${title}</title></head><body></body></html>`

function classify(status: number, body = '', { headers = {}, complete = true, takesOthers = true } = {}) {
  const answer = { status, headers, body: Buffer.from(body), complete }
  const verdict = classifyMailgunAnswer(answer, { now, takesOthers })
  if (verdict.fault === undefined) return verdict
  const { error, ...rest } = verdict
  return { ...rest, outcome: error.outcome, code: error.code, words: error.message }
}

describe('success', () => {
  test('is 200 with an id, which is kept as events have it', () => {
    const taken = { fault: undefined, providerId: '1@mg.example.com' }
    expect(classify(200, '{"id":"<1@mg.example.com>","message":"Queued. Thank you."}')).toEqual(taken)
    expect(classify(200, '{"id":"1@mg.example.com"}')).toEqual(taken)
  })

  test.each(['Mailgun Magnificent API', page('Sign in'), '', '{}', '{"id":""}', '{"id":7}', '[]', 'null'])(
    'without an id, as in %j, is not sent: something else answers there',
    (body) => {
      expect(classify(200, body)).toMatchObject({
        fault: 'ours',
        outcome: 'provider',
        code: 'UNEXPECTED_ANSWER',
        words: expect.stringContaining('check MAILGUN_ORIGIN'),
      })
    },
  )

  test.each([
    ['{"id":"<1@mg.exam', false],
    ['x'.repeat(65_536), false],
    ['', false],
    ['{"message":"Queued. Thank you."}', true],
  ])('whose id is lost may have been one', (body, complete) => {
    expect(classify(200, body, { complete })).toMatchObject({
      fault: 'unknown',
      outcome: 'unknown',
      code: 'UNEXPECTED_ANSWER',
    })
  })
})

const notAllowed = (why: string) => says(`Domain mg.example.com is not allowed to send: ${why}`)

test.each([
  [400, says("'to' parameter is not a valid address. please check documentation")],
  [400, says('to parameter is not a valid address. please check documentation')],
])('%i %s is the recipient’s fault', (status, body) => {
  expect(classify(status, body)).toEqual({
    fault: 'recipient',
    outcome: 'permanent',
    code: 'MAILGUN_400',
    words: expect.stringMatching(/^Mailgun does not take mail for the recipient \(HTTP 400: .*not a valid address/),
  })
})

test.each([
  [400, says('Header name must be pure ASCII: x-ü')],
  [400, page('Bad Request')],
  [400, ''],
  [413, 'Request Entity Too Large'],
  [413, says('request size exceeds 52.4MiB limit')],
])('%i %s is the mail’s fault', (status, body) => {
  expect(classify(status, body)).toMatchObject({ fault: 'mail', outcome: 'permanent', code: `MAILGUN_${status}` })
})

test('what is said in words that nobody knows is ours while Mailgun has taken no other mail', () => {
  for (const body of [says('Header name must be pure ASCII: x-ü'), page('Bad Request'), '']) {
    expect(classify(400, body, { takesOthers: false })).toMatchObject({ fault: 'ours', outcome: 'provider' })
  }
  expect(classify(413, '', { takesOthers: false })).toMatchObject({ fault: 'mail' })
})

describe('our fault, whatever the mail, is', () => {
  test.each([
    [400, notAllowed('Sandbox subdomains are for test purposes only. Please add your own domain.')],
    [400, says('Sandbox subdomains are for test purposes only. Please add the address to authorized recipients')],
    [400, notAllowed('Free accounts are for test purposes only. Please upgrade.')],
    [400, notAllowed('The domain is unverified and requires DNS configuration.')],
    [400, notAllowed('Please activate your Mailgun account.')],
    [400, says('Domain mg.example.com is disabled')],
    [400, says('Your account is disabled')],
    [400, says("'from' parameter is not a valid address. please check documentation")],
    [400, says('message parameter is missing')],
    [400, says("'message' parameter is not a file")],
    [400, says('malformed multipart/form-data request')],
    [400, says('unable to parse request: unexpected EOF')],
    [400, says('Send options (parameters starting with o:, h:, or v:) are limited to 16 kB total')],
    [402, says('Payment required')],
    [403, notAllowed('Business verification')],
    [403, says('Rejected: IP 192.0.2.1 can’t be used to send the message')],
    [404, page('404 Not Found')],
    [301, ''],
    [307, page('Moved')],
  ])('%i %s', (status, body) => {
    expect(classify(status, body)).toMatchObject({ fault: 'ours', outcome: 'provider', code: `MAILGUN_${status}` })
  })

  test.each([
    [401, 'Forbidden', /check MAILGUN_API_KEY, and that MAILGUN_ORIGIN is of its region \(HTTP 401: Forbidden\)$/],
    [403, 'Forbidden', /check MAILGUN_API_KEY, and that MAILGUN_ORIGIN is of its region \(HTTP 403: Forbidden\)$/],
    [
      404,
      says('Domain not found: mg.example.com'),
      /check MAILGUN_DOMAIN, and that MAILGUN_ORIGIN is of its region \(/,
    ],
    [403, notAllowed('unverified'), /^Mailgun does not take mails from us \(HTTP 403: Domain /],
    [302, '', /check MAILGUN_ORIGIN, where something else answers \(HTTP 302\)$/],
  ])('%i %s, with what to look at', (status, body, words) => {
    expect(classify(status, body)).toMatchObject({ fault: 'ours', words: expect.stringMatching(words) })
  })
})

describe('the rate', () => {
  test.each([
    [429, 'Too Many Requests'],
    [429, ''],
    [420, notAllowed('recipient limit exceeded')],
    [400, notAllowed('recipient limit exceeded')],
    [403, notAllowed('daily request limit (100) exceeded')],
  ])('is too high, says %i %s', (status, body) => {
    expect(classify(status, body)).toMatchObject({ fault: 'rate', outcome: 'provider', pauseMs: undefined })
  })

  const soon = 'try again after Mon, 30 Nov 2026 10:00:40 UTC'
  test.each([
    ['Retry-After', { 'retry-after': '7' }, '', 7_000],
    ['X-RateLimit-Reset', { 'x-ratelimit-reset': String(now / 1000 + 30) }, '', 30_000],
    ['its words', {}, notAllowed(`request limit exceeded, ${soon}`), 40_000],
    ['Retry-After first', { 'retry-after': '7', 'x-ratelimit-reset': String(now / 1000 + 30) }, soon, 7_000],
    ['a time of tomorrow', { 'x-ratelimit-reset': String(now / 1000 + 86_400) }, '', 3_600_000],
    ['a time that is over', { 'x-ratelimit-reset': String(now / 1000 - 30) }, '', 1_000],
    ['nonsense', { 'x-ratelimit-reset': '-1', 'retry-after': 'soon' }, 'try again after lunch', undefined],
  ])('may rise again when %s says so', (_what, headers, body, pauseMs) => {
    expect(classify(429, body, { headers })).toMatchObject({ fault: 'rate', pauseMs })
  })
})

test.each([500, 502, 503, 504])('%i may come for a mail that was sent', (status) => {
  for (const body of ['', page('Bad Gateway'), says('Internal Server Error')]) {
    expect(classify(status, body)).toMatchObject({ fault: 'unknown', outcome: 'unknown', code: `MAILGUN_${status}` })
  }
})

test.each([405, 406, 408, 409, 415, 418, 422, 451])('%i is never counted against the mail', (status) => {
  expect(classify(status, says('What is this?'))).toMatchObject({ fault: 'server', outcome: 'provider' })
})

test.each(['null', '[]', '{"message":null}', '{"message":{}}', '{"message":7}', '\u0000\ud800', '{'.repeat(60_000)])(
  'a body of another form does no harm',
  (body) => {
    for (const status of [200, 400, 401, 429, 500]) {
      const { words = '' } = { words: '', ...classify(status, body) }
      expect(words.length).toBeLessThan(500)
    }
  },
)

test('no address, no link and no key gets into the words', () => {
  const body = says('ada@example.com is refused, see https://example.com/?token=s3cret')
  expect(classify(400, body)).toMatchObject({ words: expect.not.stringMatching(/ada@example\.com|s3cret/) })
})
