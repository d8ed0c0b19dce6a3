import { describe, expect, test } from 'vitest'
import { resolveConsumeBatchesOptions, resolveConsumeOptions } from './consume-options.js'

describe('resolveConsumeOptions', () => {
  test('has a default for everything', () => {
    const { onSettled, ...numbers } = resolveConsumeOptions({})
    expect(numbers).toEqual({
      prefetch: 100,
      handlerTimeoutMs: 300_000,
      stallCheckMs: 15_000,
      consumerTimeoutMs: 1_800_000,
    })
    expect(() => onSettled({ queue: 'chat.messages', outcome: 'acked', attempt: 1, handlerMs: 0 })).not.toThrow()
  })

  test('takes what is given', () => {
    const given = {
      prefetch: 1,
      handlerTimeoutMs: 1_000,
      stallCheckMs: 10,
      consumerTimeoutMs: 3_000,
      journal: { begin: async () => 0, end: async () => {} },
      onSettled() {},
    }
    expect(resolveConsumeOptions(given)).toEqual(given)
  })

  test('takes undefined for not given', () => {
    const given = { prefetch: undefined, handlerTimeoutMs: undefined, onSettled: undefined }
    expect(resolveConsumeOptions(given as never)).toMatchObject({
      prefetch: 100,
      handlerTimeoutMs: 300_000,
      onSettled: expect.any(Function),
    })
  })

  test.each([
    [{ prefetch: 0 }, 'prefetch: expected an integer from 1 to 65535, found 0'],
    [{ prefetch: 65_536 }, 'prefetch: expected an integer from 1 to 65535, found 65536'],
    [{ prefetch: 1.5 }, 'prefetch: expected an integer from 1 to 65535, found 1.5'],
    [{ stallCheckMs: 9 }, 'stallCheckMs: expected an integer from 10 to 3600000, found 9'],
    [{ consumerTimeoutMs: 999 }, 'consumerTimeoutMs: expected an integer from 1000 to 86400000, found 999'],
    [{ prefetch: Number.NaN }, 'prefetch: expected an integer from 1 to 65535, found NaN'],
    [{ prefetch: '10' as never }, 'prefetch: expected an integer from 1 to 65535, found 10'],
    [{ handlerTimeoutMs: 0 }, 'handlerTimeoutMs: expected an integer from 1 to 3600000, found 0'],
    [{ handlerTimeoutMs: 3_600_001 }, 'handlerTimeoutMs: expected an integer from 1 to 3600000, found 3600001'],
    [
      { handlerTimeoutMs: Number.POSITIVE_INFINITY },
      'handlerTimeoutMs: expected an integer from 1 to 3600000, found Infinity',
    ],
  ])('refuses %o with the reason', (options, reason) => {
    expect(() => resolveConsumeOptions(options)).toThrow(new RangeError(reason))
  })
})

describe('resolveConsumeBatchesOptions', () => {
  test('has a default for everything, and room for one batch to fill while another is handled', () => {
    expect(resolveConsumeBatchesOptions({})).toMatchObject({
      size: 500,
      maxWaitMs: 200,
      prefetch: 1_000,
      handlerTimeoutMs: 300_000,
    })
    expect(resolveConsumeBatchesOptions({ size: 20 }).prefetch).toBe(40)
    expect(resolveConsumeBatchesOptions({ size: 65_535 }).prefetch).toBe(65_535)
  })

  test('takes undefined for not given', () => {
    const given = { size: undefined, maxWaitMs: undefined, prefetch: undefined }
    expect(resolveConsumeBatchesOptions(given as never)).toMatchObject({ size: 500, maxWaitMs: 200, prefetch: 1_000 })
  })

  test('takes what is given', () => {
    const given = { size: 10, maxWaitMs: 0, prefetch: 10, handlerTimeoutMs: 1_000, stallCheckMs: 10, onSettled() {} }
    expect(resolveConsumeBatchesOptions(given)).toMatchObject(given)
  })

  test.each([
    [{ size: 0 }, 'size: expected an integer from 1 to 65535, found 0'],
    [{ size: 65_536 }, 'size: expected an integer from 1 to 65535, found 65536'],
    [{ maxWaitMs: -1 }, 'maxWaitMs: expected an integer from 0 to 60000, found -1'],
    [{ maxWaitMs: 60_001 }, 'maxWaitMs: expected an integer from 0 to 60000, found 60001'],
    [{ handlerTimeoutMs: 0 }, 'handlerTimeoutMs: expected an integer from 1 to 3600000, found 0'],
    [{ size: 500, prefetch: 499 }, 'prefetch: expected an integer from 500 to 65535, found 499'],
  ])('refuses %o with the reason', (options, reason) => {
    expect(() => resolveConsumeBatchesOptions(options)).toThrow(new RangeError(reason))
  })
})
