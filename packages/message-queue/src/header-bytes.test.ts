import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { headerBytes } from './header-bytes.js'

const require = createRequire(import.meta.url)
const codec = require(join(dirname(require.resolve('amqplib')), 'lib', 'codec.js')) as {
  encodeTable(buffer: Buffer, table: object, offset: number): number
  decodeFields(bytes: Buffer): Record<string, unknown>
}

function encodedBytes(headers: object): number {
  return codec.encodeTable(Buffer.alloc(1_000_000), headers, 0)
}

function nest(depth: number, wrap: (inner: unknown) => unknown): unknown {
  return depth === 0 ? 1 : wrap(nest(depth - 1, wrap))
}

/** As amqplib decodes it: the header becomes the prototype. */
function withPrototype(): Record<string, unknown> {
  const bytes = Buffer.alloc(1_000)
  const forged = JSON.parse('{"__proto__":{"big":"x"}}')
  return codec.decodeFields(bytes.subarray(4, codec.encodeTable(bytes, forged, 0)))
}

describe('headerBytes', () => {
  test.each<[string, Record<string, unknown>]>([
    ['none', {}],
    ['text', { a: '', b: 'x'.repeat(1_000), c: '€😀' }],
    ['integers of every size', { a: 0, b: -128, c: 40_000, d: -(2 ** 31), e: 2 ** 53, f: -(2 ** 63), g: 2 ** 60 }],
    ['fractions', { a: Array(100).fill(0.5), b: -1e-300, c: 1e300 }],
    ['what is empty', { a: Array(100).fill([]), b: Array(100).fill({}), c: Array(100).fill(''), d: null }],
    ['booleans and bytes', { a: true, b: [false], c: Buffer.alloc(100) }],
    [
      'the exotic types',
      { a: { '!': 'timestamp', value: 1.7e9 }, b: { '!': 'decimal', value: { places: 2, digits: 7 } } },
    ],
    ['a header named !', { '!': 'int8', value: 'x' }],
    ['tables and lists 30 deep', { a: nest(30, (inner) => [inner]), b: nest(30, (inner) => ({ inner })) }],
    ['a prototype', { a: withPrototype() }],
  ])('is at least what amqplib makes of %s', (_what, headers) => {
    const bytes = headerBytes(headers)
    expect(bytes).toBeGreaterThanOrEqual(encodedBytes(headers))
    expect(bytes).toBeLessThan(3 * encodedBytes(headers) + 50)
  })

  test.each<[string, unknown]>([
    ['NaN', Number.NaN],
    ['an infinity', Number.NEGATIVE_INFINITY],
    ['a number below the smallest integer', -1e300],
    ['a fraction that amqplib takes for an integer', 2 ** 50 + 0.5],
    ['a timestamp past 64 bits', { '!': 'timestamp', value: 2 ** 64 }],
    ['a timestamp that is text', { '!': 'timestamp', value: 'soon' }],
    ['a forged type', { '!': 'boo', value: 'x' }],
    ['a forged decimal', { '!': 'decimal', value: { places: 2 } }],
    ['a name that grew past 255 bytes when it was decoded', { ['\uFFFD'.repeat(86)]: 1 }],
    ['what is no AMQP type', 7n],
  ])('has no limit for %s, which amqplib cannot send', (_what, value) => {
    expect(() => encodedBytes({ a: value })).toThrow()
    expect(headerBytes({ a: value })).toBe(Number.POSITIVE_INFINITY)
    expect(headerBytes({ a: [{ b: value }] })).toBe(Number.POSITIVE_INFINITY)
  })

  test.each<[string, (inner: unknown) => unknown]>([
    ['lists', (inner) => [inner]],
    ['tables', (inner) => ({ '': inner })],
  ])('has no limit for %s nested so deep that a copy would overflow the stack', (_what, wrap) => {
    expect(headerBytes({ a: nest(40, wrap) })).toBe(Number.POSITIVE_INFINITY)
    let deep: unknown = 1
    for (let depth = 0; depth < 20_000; depth += 1) deep = wrap(deep)
    expect(headerBytes({ a: deep })).toBe(Number.POSITIVE_INFINITY)
  })
})
