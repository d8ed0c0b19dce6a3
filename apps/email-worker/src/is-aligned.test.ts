import { expect, test } from 'vitest'
import { isAligned } from './is-aligned.js'

test.each([
  ['example.com', 'example.com'],
  ['example.com', 'news.example.com'],
  ['mail.example.com', 'example.com'],
])('%s speaks for mails from %s', (signing, from) => {
  expect(isAligned(signing, from)).toBe(true)
})

test.each([
  ['example.com', 'example.org'],
  ['example.com', 'badexample.com'],
  ['badexample.com', 'example.com'],
  ['example.com', 'example.com.evil.example'],
  ['news.example.com', 'mail.example.com'],
])('%s does not speak for mails from %s', (signing, from) => {
  expect(isAligned(signing, from)).toBe(false)
})
