import { runInNewContext } from 'node:vm'
import { describe, expect, test } from 'vitest'
import { findRecordFaults } from './find-record-faults.js'

/** A record of so many levels, made of objects and arrays in turn. */
function nest(levels: number): Record<string, unknown> {
  let value: unknown = levels % 2 === 0 ? [] : {}
  for (let level = levels - 1; level >= 1; level -= 1) value = level % 2 === 0 ? [value] : { a: value }
  return value as Record<string, unknown>
}

function findReason(value: unknown): string | undefined {
  return findRecordFaults(value)[0]?.reason
}

describe('findRecordFaults', () => {
  test('accepts every JSON value inside an object', () => {
    const record = { text: 'a', number: -1.5e300, yes: true, nothing: null, list: [1, 'b', [], {}], '': { ü: '😀' } }
    expect(findRecordFaults(record)).toEqual([])
    expect(findRecordFaults(JSON.parse('{"__proto__":{"a":1},"constructor":{"name":"x"},"toJSON":1}'))).toEqual([])
    expect(findRecordFaults(Object.create(null))).toEqual([])
    expect(findRecordFaults(runInNewContext('({ a: { list: [] } })'))).toEqual([])
  })

  test.each([
    [undefined, 'nothing'],
    [null, 'null'],
    ['a', 'a string of 1 character'],
    [[], 'an array of 0'],
    [new Map(), 'an instance of Map'],
    [new Date(0), 'a Date'],
  ])('refuses %s, which is no record', (value, found) => {
    expect(findRecordFaults(value)).toEqual([{ path: [], reason: `expected an object, found ${found}` }])
  })

  test('accepts 31 and 32 levels', () => {
    expect(findRecordFaults(nest(31))).toEqual([])
    expect(findRecordFaults(nest(32))).toEqual([])
  })

  test.each([33, 34, 100])('refuses %d levels, naming the 33rd', (levels) => {
    const [fault, ...others] = findRecordFaults(nest(levels))
    expect(fault?.reason).toBe('expected at most 32 levels, found more')
    expect(fault?.path).toHaveLength(32)
    expect(others).toEqual([])
  })

  test('survives a record of 100,000 levels', () => {
    const deep: unknown = JSON.parse(`${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`)
    expect(findReason(deep)).toBe('expected at most 32 levels, found more')
  })

  test('survives a record that contains itself', () => {
    const record: Record<string, unknown> = {}
    record.self = record
    expect(findReason(record)).toBe('expected at most 32 levels, found more')
  })

  test('soon gives up on an object that is shared so often that its JSON would not fit into a body', () => {
    let shared: unknown = {}
    for (let level = 0; level < 30; level += 1) shared = [shared, shared]
    const faults = [{ path: [], reason: 'expected at most 1048576 bytes of JSON, found more' }]
    expect(findRecordFaults({ shared })).toEqual(faults)
    expect(findRecordFaults({ list: new Array(9).fill('a'.repeat(131_072)) })).toEqual(faults)
  })

  test('accepts a record that just fits into a body', () => {
    expect(findRecordFaults({ list: new Array(524_000).fill(1) })).toEqual([])
  })

  test.each([
    ['undefined', undefined, 'nothing'],
    ['a Date', new Date(0), 'a Date'],
    ['a function', () => 1, 'a function'],
    ['a symbol', Symbol('secret'), 'a symbol'],
    ['a bigint', 1n, 'a bigint'],
    ['NaN', Number.NaN, 'NaN'],
    ['a number too large for a double', JSON.parse('1e400'), 'Infinity'],
    ['a Map', new Map(), 'an instance of Map'],
    ['a Buffer', Buffer.from('secret'), 'an instance of Buffer'],
    ['a boxed string', new String('secret'), 'an instance of String'],
  ])('refuses %s with its path', (_, value, found) => {
    expect(findRecordFaults({ a: { list: [0, value] } })).toEqual([
      { path: ['a', 'list', 1], reason: `expected a JSON value, found ${found}` },
    ])
  })

  test('refuses an object with a toJSON method, which would send something else', () => {
    class Money {
      toJSON(): string {
        return '1 €'
      }
    }
    expect(findReason({ price: new Money() })).toBe('expected a JSON value, found an instance of Money')
    expect(findReason({ price: { toJSON: () => '1 €' } })).toBe('expected a JSON value, found a function')
  })

  test('refuses a hole in an array, which JSON would turn into null', () => {
    expect(findRecordFaults({ list: new Array(1) })).toEqual([
      { path: ['list', 0], reason: 'expected a JSON value, found nothing' },
    ])
  })

  test('refuses zeros and lone surrogates in values and in keys', () => {
    const record = { zero: 'a\u0000', surrogate: ['\ud800'], 'key\u0000': 1, 'key\udfff': { ok: 1 } }
    expect(findRecordFaults(record)).toEqual([
      { path: ['zero'], reason: 'expected no \\u0000, found one at index 1' },
      { path: ['surrogate', 0], reason: 'expected well-formed Unicode, found a lone surrogate at index 0' },
      { path: ['key\u0000'], reason: 'in the key: expected no \\u0000, found one at index 3' },
      { path: ['key\udfff'], reason: 'in the key: expected well-formed Unicode, found a lone surrogate at index 3' },
    ])
  })

  test('checks what hides under the key __proto__', () => {
    const record: unknown = JSON.parse('{"__proto__":{"a":"\\u0000"}}')
    expect(findRecordFaults(record)).toHaveLength(1)
  })

  test('stops after 100 faults', () => {
    expect(findRecordFaults({ list: new Array(1000).fill(undefined) })).toHaveLength(100)
  })
})
