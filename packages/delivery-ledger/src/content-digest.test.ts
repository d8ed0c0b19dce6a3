import { describe, expect, test } from 'vitest'
import { createContentDigest, nameDifferences } from './content-digest.js'

const content = { type: 'email.message', subject: 'Hello', data: { b: [1, { d: null, c: 'x' }], a: 1.5, 10: true } }

describe('the digest of a content', () => {
  test.each<[string, Record<string, unknown>]>([
    [
      'keys in another order',
      JSON.parse('{"data":{"10":true,"a":1.50,"b":[1,{"c":"x","d":null}]},"subject":"Hello","type":"email.message"}'),
    ],
    [
      'another way to write a number or a letter',
      { ...content, subject: JSON.parse('"\\u0048ello"'), data: { ...content.data, a: JSON.parse('15e-1') } },
    ],
    ['a field that is undefined', { ...content, html: undefined, data: { ...content.data, z: undefined } }],
  ])('is the same with %s', (_what, same) => {
    expect(createContentDigest(same)).toEqual(createContentDigest(content))
  })

  test.each<[string, Record<string, unknown>]>([
    ['another value', { ...content, subject: 'Hullo' }],
    ['a value of another type', { ...content, data: { ...content.data, a: '1.5' } }],
    ['null in the place of nothing', { ...content, data: { ...content.data, z: null } }],
    ['a list in another order', { ...content, data: { ...content.data, b: content.data.b.toReversed() } }],
    ['one field’s value in another', { type: 'Hello', subject: 'email.message', data: content.data }],
    ['a name that only looks like the end of another', { ...content, 'data"': 1 }],
  ])('differs with %s', (_what, other) => {
    const { bytes } = createContentDigest(other)
    expect(bytes.subarray(0, 16)).not.toEqual(createContentDigest(content).bytes.subarray(0, 16))
  })

  test('takes 16 bytes, and 2 for each field, and never changes: ledgers are full of them', () => {
    expect(createContentDigest(content).bytes.toString('hex')).toBe('3cf7cc5eb45173bf8912b0f11b18cf187e05d7e81c07')
  })
})

describe('the differences from what is in the ledger', () => {
  const { bytes: stored } = createContentDigest(content)
  const namesOf = (fields: Record<string, unknown>) =>
    nameDifferences(createContentDigest({ ...content, ...fields }), stored)

  test('are the fields whose values differ, and those that are new', () => {
    expect(namesOf({})).toEqual([])
    expect(namesOf({ subject: 'Hullo', html: '<p>' })).toEqual(['html', 'subject'])
  })

  test('cannot name a field that only the ledger’s content has', () => {
    expect(namesOf({ subject: undefined })).toEqual([])
  })
})
