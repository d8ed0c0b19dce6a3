import { describe, expect, test } from 'vitest'
import { createResources } from './resources.js'

describe('releaseAll', () => {
  test('releases last in, first out, each after the one before is done', async () => {
    const resources = createResources()
    const events: string[] = []
    for (const name of ['first', 'second', 'third']) {
      resources.add(name, async () => {
        events.push(`${name} begins`)
        await Promise.resolve()
        events.push(`${name} ends`)
      })
    }
    await resources.releaseAll()
    expect(events).toEqual(['third begins', 'third ends', 'second begins', 'second ends', 'first begins', 'first ends'])
  })

  test('goes on past failures and reports them together', async () => {
    const resources = createResources()
    const released: string[] = []
    resources.add('server', () => released.push('server'))
    resources.add('pool', () => {
      throw new Error('pool is stuck')
    })
    resources.add('queue', async () => {
      throw new Error('queue is stuck')
    })
    const error = await resources.releaseAll().catch((reason: unknown) => reason)
    expect(released).toEqual(['server'])
    expect(error).toBeInstanceOf(AggregateError)
    expect((error as AggregateError).errors).toMatchObject([
      { message: 'Releasing queue failed', cause: { message: 'queue is stuck' } },
      { message: 'Releasing pool failed', cause: { message: 'pool is stuck' } },
    ])
  })

  test('releases once, however often it is asked', async () => {
    const resources = createResources()
    let releases = 0
    resources.add('pool', () => {
      releases += 1
    })
    await Promise.all([resources.releaseAll(), resources.releaseAll()])
    await resources.releaseAll()
    expect(releases).toBe(1)
  })

  test('refuses what is acquired too late', async () => {
    const resources = createResources()
    await resources.releaseAll()
    expect(() => resources.add('pool', () => {})).toThrow('pool was acquired after the release had begun')
  })
})
