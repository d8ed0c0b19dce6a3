import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { findAddressFault } from './find-address-fault.js'
import { normalizeAddress } from './normalize-address.js'
import { toWireAddress } from './to-wire-address.js'

describe('normalizeAddress', () => {
  test.each([
    ['ada@example.com', 'ada@example.com'],
    ['Ada.Lovelace+List@EXAMPLE.com', 'ada.lovelace+list@example.com'],
    ['bob@ｅxample.com', 'bob@example.com'],
    ['bob@ＥＸＡＭＰＬＥ．ＣＯＭ', 'bob@example.com'],
    ['bob@exam\u00adple.com', 'bob@example.com'],
    ['bob@example。com', 'bob@example.com'],
    ['INFO@BÜCHER.example', 'info@xn--bcher-kva.example'],
    ['info@bu\u0308cher.example', 'info@xn--bcher-kva.example'],
    ['info@XN--BCHER-KVA.example', 'info@xn--bcher-kva.example'],
    ['rene\u0301@example.com', 'ren\u00e9@example.com'],
    ['REN\u00c9@example.com', 'ren\u00c9@example.com'],
    ['RENE\u0301@example.com', 'ren\u00c9@example.com'],
    ['\u212aim@example.com', 'kim@example.com'],
    ['J\u030c@example.com', '\u01f0@example.com'],
    ['ｂob@example.com', 'ｂob@example.com'],
  ])('of %j is %j', (address, normal) => {
    expect(normalizeAddress(address)).toBe(normal)
  })

  test.each(['ada', 'ada@127.0.0.1', 'ada@[127.0.0.1]', 'Ada <ada@example.com>', 'ada\u037e@example.com', ''])(
    'of %j there is none, and the error does not repeat it',
    (address) => {
      expect(() => normalizeAddress(address)).toThrow(/^The address has no normal form: expected /)
      expect(() => normalizeAddress(address)).not.toThrow(/ada/)
    },
  )
})

describe('any address', () => {
  const letters = fc.constantFrom(
    ...[
      'a',
      'J',
      'K',
      '\u212a',
      'ß',
      'ẞ',
      'İ',
      'ı',
      'é',
      'É',
      'e',
      'E',
      'ｅ',
      'Ｅ',
      'Ω',
      '\u2126',
      'ς',
      '例',
      'ก',
      '하',
    ],
    ...['\u0301', '\u030c', '\u0308', '\u0331', '\u0958', '\u0344', '\u1100', '\u1161', '\u00ad', '\u200d', '\u200b'],
    ...['1', '１', '-', '_', '+', '%', '％', '.', '．', '。', '0x', 'xn--', '\u037e', '\u2000', '＠', '\u1fef', '℡'],
  )
  const part = fc.array(fc.oneof(letters, fc.string({ unit: 'grapheme', maxLength: 3 })), {
    minLength: 1,
    maxLength: 12,
  })
  const domain = fc.tuple(part, fc.constantFrom('.com', '.COM', '.ü', '．ｃｏｍ', '.1', '.xn--p1ai', ''))
  const address = fc.tuple(part, domain).map(([local, [host, top]]) => `${local.join('')}@${host.join('')}${top}`)
  const normalFormOf = (text: string) => (findAddressFault(text) === undefined ? normalizeAddress(text) : undefined)

  test('has a normal form that is its own, and names the mailbox to which its mail goes', () => {
    let normalized = 0
    fc.assert(
      fc.property(address, (text) => {
        const normal = normalFormOf(text)
        if (normal === undefined) return
        normalized += 1
        expect(normalFormOf(normal)).toBe(normal)
        expect(normalFormOf(toWireAddress(text))).toBe(normal)
        // Decomposed, `≮` has an angle bracket.
        expect([normal, undefined]).toContain(normalFormOf(text.normalize('NFD')))
        expect(normal).toMatch(/@[a-z\d._-]+$/)
        expect(normal).not.toMatch(/[A-Z]/)
      }),
      { numRuns: 5_000 },
    )
    expect(normalized).toBeGreaterThan(500)
  })
})
