import { expect, test } from 'vitest'
import { createTeardown } from './teardown.js'

test('phases run in order, and within one the last registered first', async () => {
  const teardown = createTeardown()
  const ran: string[] = []
  teardown.add('services', () => ran.push('vhost'))
  teardown.add('handles', () => ran.push('handles'))
  teardown.add('test', () => ran.push('first client'))
  teardown.add('workers', () => ran.push('workers'))
  teardown.add('test', () => ran.push('second client'))
  await teardown.run()
  expect(ran).toEqual(['second client', 'first client', 'workers', 'vhost', 'handles'])
})

test('a failure does not keep the other releases from running', async () => {
  const teardown = createTeardown()
  const ran: string[] = []
  teardown.add('services', () => ran.push('vhost'))
  teardown.add('test', () => {
    throw new Error('cannot close')
  })
  await expect(teardown.run()).rejects.toThrow('cannot close')
  expect(ran).toEqual(['vhost'])
})

test('several failures are reported together', async () => {
  const teardown = createTeardown()
  teardown.add('test', () => Promise.reject(new Error('one')))
  teardown.add('services', () => Promise.reject(new Error('two')))
  await expect(teardown.run()).rejects.toThrow(/one\n- two/)
})

test('each release runs once', async () => {
  const teardown = createTeardown()
  let ran = 0
  teardown.add('test', () => {
    ran += 1
  })
  await teardown.run()
  await teardown.run()
  expect(ran).toBe(1)
})
