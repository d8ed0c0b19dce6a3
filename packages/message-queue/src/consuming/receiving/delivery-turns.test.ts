import { describe, expect, test } from 'vitest'
import { Caution, type IntakeMode } from './caution.js'

function createCaution({ random = () => 0 }: { random?: () => number } = {}) {
  const begun: string[] = []
  const modes: IntakeMode[] = []
  const caution = new Caution<string>({
    onTurn: (item) => begun.push(item),
    onMode: (mode) => modes.push(mode),
    random,
  })
  const take = (item: string, deliveryCount = 0, alone = false) => caution.take(item, { deliveryCount, alone })
  const finish = (item: string) => {
    caution.survived(item)
    caution.done(item)
  }
  return { caution, begun, modes, take, finish }
}

/** Past its first delivery. */
function createNormal(options?: { random?: () => number }) {
  const made = createCaution(options)
  made.take('first', 0, true)
  made.finish('first')
  made.begun.length = 0
  made.modes.length = 0
  return made
}

describe('a process that starts', () => {
  test('takes as many as the prefetch admits when its first delivery is one that nobody died over', () => {
    const { begun, modes, take } = createCaution()
    take('a', 0, true)
    expect(modes).toEqual(['normal'])
    expect(begun).toEqual(['a'])
  })

  test('goes on with one at a time while deliveries come that somebody died over', () => {
    const { caution, modes, take, finish } = createCaution()
    for (const item of ['a', 'b', 'c']) {
      take(item, 1, true)
      finish(item)
    }
    expect(modes).toEqual(['cautious'])
    take('d', 0, true)
    finish('d')
    expect(modes).toEqual(['cautious', 'normal'])
    expect(caution.mode).toBe('normal')
  })

  test('does not take more because of one that was put off untried', () => {
    const { caution, take } = createCaution()
    take('a', 1, true)
    caution.done('a')
    take('b', 0, true)
    caution.done('b')
    expect(caution.mode).toBe('cautious')
  })
})

describe('a process that takes many', () => {
  test('works on them side by side, also on one that somebody died over once', () => {
    const { begun, modes, take } = createNormal()
    take('a')
    take('b', 1)
    take('c')
    expect(begun).toEqual(['a', 'b', 'c'])
    expect(modes).toEqual([])
  })

  test('tries one that two died over when nothing else is in hand, and nothing beside it', () => {
    const { begun, modes, take, finish } = createNormal()
    take('a')
    take('suspect', 2)
    take('b')
    expect(modes).toEqual(['cautious'])
    expect(begun).toEqual(['a', 'b'])
    finish('a')
    finish('b')
    expect(begun).toEqual(['a', 'b', 'suspect'])
    take('c')
    expect(begun).toHaveLength(3)
    finish('suspect')
    expect(begun).toEqual(['a', 'b', 'suspect', 'c'])
  })

  test('stays cautious while only what came by the wide registration is dealt with', () => {
    const { caution, take, finish } = createNormal()
    take('suspect', 2)
    take('wide')
    finish('suspect')
    finish('wide')
    expect(caution.mode).toBe('cautious')
    take('alone', 0, true)
    finish('alone')
    expect(caution.mode).toBe('normal')
  })

  test('tries those with fewer deaths first', () => {
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

  test('gives up what waits for its turn when asked to', () => {
    const { caution, begun, take, finish } = createNormal()
    take('a')
    take('suspect', 2)
    expect(caution.dropWaiting()).toEqual(['suspect'])
    finish('a')
    expect(begun).toEqual(['a'])
  })

  test('takes one at a time in a trial, until one has been dealt with', () => {
    const { caution, modes, take, finish } = createNormal()
    caution.beginTrial()
    caution.beginTrial()
    take('a', 0, true)
    caution.done('a')
    expect(modes).toEqual(['trial'])
    take('b', 1, true)
    finish('b')
    expect(modes).toEqual(['trial', 'normal'])
  })
})
