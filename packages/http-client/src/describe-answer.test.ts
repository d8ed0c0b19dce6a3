import { expect, test } from 'vitest'
import { describeAnswer } from './describe-answer.js'

const describeBody = (body: string | Buffer) => describeAnswer({ status: 410, body: Buffer.from(body) })

test.each([
  ['push subscription has unsubscribed or expired.\n', 'HTTP 410: push subscription has unsubscribed or expired.'],
  [
    '{"code":410,"errno":106,"error":"Gone","message":"Request did not validate","more_info":"http://autopush/"}',
    'HTTP 410: Request did not validate',
  ],
  [
    '{\n  "error": {\n    "code": 404,\n    "message": "Requested entity was not found."\n  }\n}\n',
    'HTTP 410: Requested entity was not found.',
  ],
  ['{"reason":"BadDeviceToken"}', 'HTTP 410: BadDeviceToken'],
  ['{"error":"invalid"}', 'HTTP 410: invalid'],
  ['{"error":"invalid_grant","error_description":"Invalid JWT: check iat"}', 'HTTP 410: Invalid JWT: check iat'],
  ['{"a":1}', 'HTTP 410: {"a":1}'],
  ['{"a":', 'HTTP 410: {"a":'],
  ['null', 'HTTP 410: null'],
  ['<!DOCTYPE html>\n<html><head>\n<title>502 Bad Gateway</title>', 'HTTP 410: 502 Bad Gateway'],
  ['no https://push.example.com/send/abc for ada@example.com', 'HTTP 410: no [url] for [address]'],
  ['', undefined],
  [' \r\n', undefined],
])('of %j', (body, described) => {
  expect(describeBody(body)).toBe(described)
})

test('a body that is no text does no harm', () => {
  expect(describeBody(Buffer.from([0xff, 0x00, 0xfe, 0x41]))).toBe('HTTP 410: \ufffd\ufffdA')
  expect(describeBody(`{"message":"${'x'.repeat(100_000)}"}`)?.length).toBeLessThanOrEqual(310)
})
