import { expect, test } from 'vitest'
import { serializeByKey } from './serialize-by-key.js'

/** Work that ends when the test says so, and what has begun and ended, in order. */
function setUp() {
  const events: string[] = []
  const finishers = new Map<string, { resolve: () => void; reject: (error: Error) => void }>()
  const run = serializeByKey(
    (name: string) => name.slice(0, 1),
    async (name) => {
      events.push(`${name} begins`)
      await new Promise<void>((resolve, reject) => finishers.set(name, { resolve, reject }))
      events.push(`${name} ends`)
      return name
    },
  )
  return { events, run, finish: (name: string) => finishers.get(name) }
}

/** Long enough for every promise that can settle to have settled. */
const turn = () => new Promise<void>((resolve) => setImmediate(resolve))

test('work of one key begins when the work before it has ended, in the order of the calls', async () => {
  const { events, run, finish } = setUp()
  const calls = ['a1', 'a2', 'a3'].map((name) => run(name))
  for (const name of ['a1', 'a2', 'a3']) {
    await turn()
    finish(name)?.resolve()
  }
  expect(await Promise.all(calls)).toEqual(['a1', 'a2', 'a3'])
  expect(events).toEqual(['a1 begins', 'a1 ends', 'a2 begins', 'a2 ends', 'a3 begins', 'a3 ends'])
})

test('work of different keys goes on side by side', async () => {
  const { events, run, finish } = setUp()
  const calls = [run('a1'), run('b1')]
  await turn()
  expect(events).toEqual(['a1 begins', 'b1 begins'])
  finish('b1')?.resolve()
  finish('a1')?.resolve()
  await Promise.all(calls)
})

test('a failure is told to its own caller, and the next of the key goes on', async () => {
  const { events, run, finish } = setUp()
  const failing = run('a1')
  const next = run('a2')
  await turn()
  finish('a1')?.reject(new Error('refused'))
  await expect(failing).rejects.toThrow('refused')
  await turn()
  finish('a2')?.resolve()
  expect(await next).toBe('a2')
  expect(events).toEqual(['a1 begins', 'a2 begins', 'a2 ends'])
})

test('a call made while the last one is ending still waits for it', async () => {
  const { events, run, finish } = setUp()
  const first = run('a1')
  await turn()
  const second = first.then(() => run('a2'))
  const third = run('a3')
  finish('a1')?.resolve()
  await turn()
  expect(events.filter((event) => event.endsWith('begins'))).toHaveLength(2)
  finish('a3')?.resolve()
  await third
  await turn()
  finish('a2')?.resolve()
  await second
  expect(events).toEqual(['a1 begins', 'a1 ends', 'a3 begins', 'a3 ends', 'a2 begins', 'a2 ends'])
})
