import { describe, expect, test } from 'vitest'
import { within } from './within.js'

describe('within', () => {
  test('is true for what settles in time, false for what does not', async () => {
    expect(await within(Promise.resolve(), 1000)).toBe(true)
    expect(await within(new Promise(() => {}), 5)).toBe(false)
  })

  test('throws a rejection that comes in time', async () => {
    await expect(within(Promise.reject(new Error('no')), 1000)).rejects.toThrow('no')
  })

  test('swallows a rejection that comes too late', async () => {
    let reject: (error: Error) => void = () => {}
    const late = new Promise<void>((_resolve, fail) => {
      reject = fail
    })
    expect(await within(late, 5)).toBe(false)
    // An unhandled rejection would fail the run.
    reject(new Error('too late'))
  })
})
