import { describe, expect, test } from 'vitest'
import { silentLogger } from '../logger.js'
import { watchForStall } from './stall-watch.js'

function watch({ waiting = 1, idle = true } = {}) {
  const state = { waiting: waiting as number | Error, idle, delivered: 0, stalls: 0 }
  const stallWatch = watchForStall({
    intervalMs: 1_000_000,
    logger: silentLogger,
    isIdle: () => state.idle,
    countDelivered: () => state.delivered,
    async countWaiting() {
      if (state.waiting instanceof Error) throw state.waiting
      return state.waiting
    },
    onStalled: () => {
      state.stalls += 1
    },
  })
  const look = async (times: number) => {
    for (let n = 0; n < times; n += 1) await stallWatch.look()
    stallWatch.stop()
    return state.stalls
  }
  return { state, look }
}

describe('a consumer is stalled', () => {
  test('when messages wait at two looks and none came between them', async () => {
    const { look } = watch()
    expect(await look(1)).toBe(0)
    expect(await look(1)).toBe(1)
  })

  test('again when registering has not helped', async () => {
    expect(await watch().look(4)).toBe(2)
  })
})

describe('a consumer is not stalled', () => {
  test('when nothing waits', async () => {
    expect(await watch({ waiting: 0 }).look(3)).toBe(0)
  })

  test('while it has something in hand, or is not registered', async () => {
    expect(await watch({ idle: false }).look(3)).toBe(0)
  })

  test('when something was delivered between the looks', async () => {
    const { state, look } = watch()
    await look(1)
    state.delivered += 1
    expect(await look(1)).toBe(0)
    expect(await look(1)).toBe(0)
    expect(await look(1)).toBe(1)
  })

  test('when the messages cannot be counted', async () => {
    const { state, look } = watch()
    await look(1)
    state.waiting = new Error('The channel is closed')
    expect(await look(1)).toBe(0)
    state.waiting = 1
    expect(await look(1)).toBe(0)
  })
})
