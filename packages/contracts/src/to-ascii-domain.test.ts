import { expect, test } from 'vitest'
import { toAsciiDomain } from './to-ascii-domain.js'

test.each([
  ['example.com', 'example.com'],
  ['Mail.EXAMPLE.com', 'mail.example.com'],
  ['müller.example', 'xn--mller-kva.example'],
  ['MÜLLER.example', 'xn--mller-kva.example'],
  ['例え.テスト', 'xn--r8jz45g.xn--zckzah'],
  ['xn--mller-kva.example', 'xn--mller-kva.example'],
  ['_dmarc.example', '_dmarc.example'],
  ['localhost', 'localhost'],
  ['ｅxample.com', 'example.com'],
  ['ＥＸＡＭＰＬＥ．ＣＯＭ', 'example.com'],
  ['exam\u00adple.com', 'example.com'],
  ['例え。テスト', 'xn--r8jz45g.xn--zckzah'],
  ['straße.example', 'xn--strae-oqa.example'],
  ['1and1.example', '1and1.example'],
  ['4.example.0xy', '4.example.0xy'],
  [`${'b'.repeat(63)}.example`, `${'b'.repeat(63)}.example`],
])('%s is %s', (domain, ascii) => {
  expect(toAsciiDomain(domain)).toBe(ascii)
})

test.each([
  '',
  '.',
  'example..com',
  'example.com.',
  '.example.com',
  'exa%41mple.com',
  'exa%00mple.com',
  'example.com/eve',
  'müller.example/eve',
  'müller%2eexample',
  "o'neil.example",
  '\u00ad',
  '127.0.0.1',
  '0x7f.1',
  '0X7F',
  '2130706433',
  '１２７.0.0.1',
  '0x7f.１',
  'example.１',
  'ü％４１.example',
  'ü＠example',
  'example。',
  'a\u2024.\u2024b',
  `${'b'.repeat(64)}.example`,
  `${'ü'.repeat(63)}.example`,
  `${'b'.repeat(60)}.`.repeat(5).slice(0, -1),
])('%j is no domain', (domain) => {
  expect(toAsciiDomain(domain)).toBe('')
})
