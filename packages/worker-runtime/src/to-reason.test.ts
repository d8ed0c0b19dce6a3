import { describe, expect, test } from 'vitest'
import { toReason } from './to-reason.js'

describe('toReason', () => {
  test.each([
    ['550 5.1.1 User unknown', '550 5.1.1 User unknown'],
    ['550-5.7.1 No.\r\n550 5.7.1 See above', '550-5.7.1 No.'],
    ['\r\n  \n  push subscription has expired.\n', 'push subscription has expired.'],
    ['one\u2028two', 'one'],
    ['', ''],
    [' \n ', ''],
  ])('of %j keeps the first line that says something', (answer, reason) => {
    expect(toReason(answer)).toBe(reason)
  })

  test.each([
    ['<ada@example.com>: unknown', '<[address]>: unknown'],
    ['no mailbox ada@example.com, sorry', 'no mailbox [address], sorry'],
    ['no mailbox zoë@müller.example', 'no mailbox [address]'],
    ['no mailbox root@localhost', 'no mailbox [address]'],
    ['no mailbox "ada lovelace"@example.com', 'no mailbox [address]'],
    ['no mailbox ada%40example.com', 'no mailbox [address]'],
    ['no mailbox ada＠example.com', 'no mailbox [address]'],
    ['no mailbox ad\u0000a@example.com', 'no mailbox [address]'],
    ['see https://example.com/u/ada?x=y for more', 'see [url] for more'],
    ['see HTTPS://example.com/u/ada', 'see [url]'],
    ['see www.example.com/u/ada', 'see [url]'],
    ['at amqp://mono:secret@broker:5672/mono', 'at [url]'],
    ['id 4f1c9a2e-7d54-4c02-9b1e-2f3a4b5c6d7e', 'id [token]'],
    ['token fGh1-2_abcdefghijklmno:APA91bHun4MxP5egoKMwt2KZFBaFUH', 'token [token]'],
    ['jwt eyJhbGciOiJFUzI1NiIsInR5cCI6IkpXVCJ9.eyJhdWQiOiJodHRwczovL2EuYi', 'jwt [token].[token]'],
    ['PERSONAL_MESSAGE_RATE_LIMIT_EXCEEDED', 'PERSONAL_MESSAGE_RATE_LIMIT_EXCEEDED'],
    ['queued as 4cVd3k1xYz by mx1.example.com', 'queued as 4cVd3k1xYz by mx1.example.com'],
  ])('masks %j', (answer, reason) => {
    expect(toReason(answer)).toBe(reason)
  })

  test('takes out what no terminal and no table takes', () => {
    expect(toReason('a\u0000b\u001b[31mc\td\u009fe')).toBe('ab[31mc de')
    expect(toReason('a\ud800b 😀 c\udc00')).toBe('a\ufffdb 😀 c\ufffd')
  })

  test.each([
    ['words', 'no '.repeat(10_000)],
    ['one word', 'x'.repeat(10_000)],
    ['one token', '0'.repeat(10_000)],
    ['one address', `${'x'.repeat(10_000)}@example.com`],
    ['addresses', 'ada@example.com '.repeat(10_000)],
    ['pairs of surrogates', `a${'😀'.repeat(10_000)}`],
    ['blanks', ' '.repeat(1_000_000)],
  ])('is short, and soon made, of many %s', (_, answer) => {
    const startedAt = performance.now()
    const reason = toReason(answer)
    expect(performance.now() - startedAt).toBeLessThan(1_000)
    expect(reason.length).toBeLessThanOrEqual(300)
    expect(reason).not.toMatch(/\p{Surrogate}/u)
  })

  test('of a long answer no half address is left', () => {
    for (let length = 1_980; length < 2_002; length += 1) {
      // Tokens shrink, so what stands behind them moves to the front.
      const answer = `${'1'.repeat(length)} ada.lovelace@example.com said no`
      expect(toReason(answer)).not.toMatch(/ada/)
    }
  })

  test('what went through it once stays as it is', () => {
    const answers = [
      '<ada@example.com>',
      'see https://a.b/c,ada@x.y',
      `${'0'.repeat(40)} ${'no '.repeat(200)}`,
      '"a"@b',
    ]
    for (const answer of answers) expect(toReason(toReason(answer))).toBe(toReason(answer))
  })
})
