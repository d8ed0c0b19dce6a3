import { describe, expect, test } from 'vitest'
import { DeliveryTurns, type PrefetchMode } from './delivery-turns.js'

function createTurns({ random = () => 0 }: { random?: () => number } = {}) {
  const begun: string[] = []
  const modes: PrefetchMode[] = []
  const turns = new DeliveryTurns<string>({
    onTurn: (item) => begun.push(item),
    onMode: (mode) => modes.push(mode),
    random,
  })
  const take = (item: string, deliveryCount = 0, alone = false) => turns.take(item, { deliveryCount, alone })
  const finish = (item: string) => {
    turns.handled(item)
    turns.settled(item)
  }
  return { turns, begun, modes, take, finish }
}

/** Past its first delivery. */
function createNormal(options?: { random?: () => number }) {
  const made = createTurns(options)
  made.take('first', 0, true)
  made.finish('first')
  made.begun.length = 0
  made.modes.length = 0
  return made
}

describe('a consumer that starts', () => {
  test('takes as many as the prefetch admits when its first delivery was not in flight when a consumer ended', () => {
    const { begun, modes, take } = createTurns()
    take('a', 0, true)
    expect(modes).toEqual(['normal'])
    expect(begun).toEqual(['a'])
  })

  test('goes on with one at a time while deliveries come that were in flight when a consumer ended', () => {
    const { turns, modes, take, finish } = createTurns()
    for (const item of ['a', 'b', 'c']) {
      take(item, 1, true)
      finish(item)
    }
    expect(modes).toEqual(['cautious'])
    take('d', 0, true)
    finish('d')
    expect(modes).toEqual(['cautious', 'normal'])
    expect(turns.mode).toBe('normal')
  })

  test('does not take more because of one that was deferred untried', () => {
    const { turns, take } = createTurns()
    take('a', 1, true)
    turns.settled('a')
    take('b', 0, true)
    turns.settled('b')
    expect(turns.mode).toBe('cautious')
  })
})

describe('a consumer that takes many', () => {
  test('works on them side by side, also on one that was in flight at one end', () => {
    const { begun, modes, take } = createNormal()
    take('a')
    take('b', 1)
    take('c')
    expect(begun).toEqual(['a', 'b', 'c'])
    expect(modes).toEqual([])
  })

  test('tries one that was in flight at two ends when nothing else is in flight, and nothing beside it', () => {
    const { begun, modes, take, finish } = createNormal()
    take('a')
    take('isolated', 2)
    take('b')
    expect(modes).toEqual(['cautious'])
    expect(begun).toEqual(['a', 'b'])
    finish('a')
    finish('b')
    expect(begun).toEqual(['a', 'b', 'isolated'])
    take('c')
    expect(begun).toHaveLength(3)
    finish('isolated')
    expect(begun).toEqual(['a', 'b', 'isolated', 'c'])
  })

  test('stays cautious while only what came by the wide registration is dealt with', () => {
    const { turns, take, finish } = createNormal()
    take('isolated', 2)
    take('wide')
    finish('isolated')
    finish('wide')
    expect(turns.mode).toBe('cautious')
    take('alone', 0, true)
    finish('alone')
    expect(turns.mode).toBe('normal')
  })

  test('tries those that were in flight at fewer ends first', () => {
    const { begun, take, finish } = createNormal()
    take('a')
    take('many', 9)
    take('few', 2)
    finish('a')
    finish('few')
    expect(begun).toEqual(['a', 'few', 'many'])
  })

  test('chooses at random among those with equally many', () => {
    const { begun, take, finish } = createNormal({ random: () => 0.99 })
    take('a')
    for (const item of ['x', 'y', 'z']) take(item, 2)
    finish('a')
    expect(begun).toEqual(['a', 'z'])
  })

  test('drops what waits for its turn when asked to', () => {
    const { turns, begun, take, finish } = createNormal()
    take('a')
    take('isolated', 2)
    expect(turns.dropWaiting()).toEqual(['isolated'])
    finish('a')
    expect(begun).toEqual(['a'])
  })

  test('takes one at a time in a trial, until one has been dealt with', () => {
    const { turns, modes, take, finish } = createNormal()
    turns.beginTrial()
    turns.beginTrial()
    take('a', 0, true)
    turns.settled('a')
    expect(modes).toEqual(['trial'])
    take('b', 1, true)
    finish('b')
    expect(modes).toEqual(['trial', 'normal'])
  })
})

describe('a consumer whose channel is lost', () => {
  test('takes one delivery first, and isolates it if it was in flight at one end', () => {
    const { turns, begun, modes, take } = createNormal()
    turns.beginAgain()
    expect(modes).toEqual(['first'])
    take('b', 1, true)
    expect(modes).toEqual(['first', 'cautious'])
    take('c', 0, true)
    expect(begun).toEqual(['b'])
  })

  test('takes as many as the prefetch admits again after a first delivery that was not in flight', () => {
    const { turns, modes, take } = createNormal()
    turns.beginAgain()
    take('b', 0, true)
    expect(modes).toEqual(['first', 'normal'])
  })

  test('drops what waits for its turn', () => {
    const { turns, begun, take, finish } = createNormal()
    take('a')
    take('isolated', 2)
    expect(turns.beginAgain()).toEqual(['isolated'])
    finish('a')
    expect(begun).toEqual(['a'])
  })

  test('is not held up by a handler that still works on a lost delivery', () => {
    const { turns, begun, take } = createNormal()
    take('lost')
    turns.beginAgain()
    take('isolated', 1, true)
    expect(begun).toEqual(['lost', 'isolated'])
  })

  test('is not held up by a handler that still works on a lost delivery that was isolated', () => {
    const { turns, begun, take } = createNormal()
    take('lost', 2, true)
    turns.beginAgain()
    take('b', 0, true)
    expect(begun).toEqual(['lost', 'b'])
  })

  test('learns nothing from the end of a handler whose delivery is lost', () => {
    const { turns, begun, take, finish } = createTurns()
    take('lost', 0, true)
    turns.beginAgain()
    take('isolated', 1, true)
    take('waiting', 0, true)
    finish('lost')
    expect(turns.mode).toBe('cautious')
    expect(begun).toEqual(['lost', 'isolated'])
  })

  test('goes on with a trial', () => {
    const { turns, modes, take, finish } = createNormal()
    turns.beginTrial()
    turns.beginAgain()
    expect(modes).toEqual(['trial'])
    take('b', 0, true)
    expect(modes).toEqual(['trial'])
    finish('b')
    expect(modes).toEqual(['trial', 'normal'])
  })
})
