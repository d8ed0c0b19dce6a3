import { expect, test } from 'vitest'
import { isVapidSubject } from './is-vapid-subject.js'

test.each([
  'mailto:ops@example.com',
  'mailto:ops+push@mail.example.co.uk',
  'mailto:o.p_s-1@example.com',
  'mailto:ops@bücher.de',
  'https://example.com',
  'https://example.com/contact?to=ops',
  'https://example.com:8443/',
])('%s is one', (subject) => {
  expect(isVapidSubject(subject)).toBe(true)
})

test.each([
  '',
  'ops@example.com',
  'http://example.com',
  'ftp://example.com',
  'mailto:',
  'mailto:@',
  'mailto:ops',
  'mailto:ops@',
  'mailto:@example.com',
  'mailto:ops@localhost',
  'mailto:ops@mac.local',
  'mailto:ops@push.invalid',
  'mailto:ops@push.test',
  'mailto:ops@push',
  'mailto:ops@127.0.0.1',
  'mailto:ops@[127.0.0.1]',
  'mailto:ops@example.com.',
  'mailto:ops@example..com',
  'mailto: ops@example.com',
  'mailto:ops@example.com ',
  ' mailto:ops@example.com',
  'mailto:<ops@example.com>',
  'mailto:Ops <ops@example.com>',
  'mailto:Ops%20ops@example.com',
  'mailto:a@example.com,b@example.com',
  'mailto:ops@example.com?subject=push',
  'mailto://ops@example.com',
  'mailto:a@b@example.com',
  'MAILTO:ops@example.com',
  'https://localhost/',
  'https://localhost:8443',
  'https://mac.local/',
  'https://push.invalid',
  'https://push/',
  'https://127.0.0.1/',
  'https://8.8.8.8/',
  'https://[::1]/',
  'https://2130706433/',
  'https://user@example.com/',
  'https:example.com',
  'https://',
  'https://example.com /',
])('%s is none', (subject) => {
  expect(isVapidSubject(subject)).toBe(false)
})
