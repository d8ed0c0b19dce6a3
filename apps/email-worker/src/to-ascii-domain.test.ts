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
  'a\u2024.\u2024b',
  `${'b'.repeat(64)}.example`,
  `${'ü'.repeat(63)}.example`,
  `${'b'.repeat(60)}.`.repeat(5).slice(0, -1),
])('%j is no domain', (domain) => {
  expect(toAsciiDomain(domain)).toBe('')
})
