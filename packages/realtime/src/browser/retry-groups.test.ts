import { expect, test } from 'vitest'
import { RetryGroups } from './retry-groups.js'

test('those whose turn has not come yet are members during a retry, and can be deleted', async () => {
  const groups = new RetryGroups<string>()
  groups.add(['a', 'b', 'c', 'd'])
  const asked: string[] = []
  await groups.retry(async ([member = '']) => {
    asked.push(member)
    if (member === 'a') {
      expect(['b', 'c', 'd'].filter((other) => groups.has(other))).toEqual(['b', 'c', 'd'])
      groups.delete('c')
    }
    return true
  })
  expect([asked, groups.isEmpty]).toEqual([['a', 'b', 'd'], true])
})

test('those that have failed are members during a retry, and can be deleted', async () => {
  const groups = new RetryGroups<string>()
  groups.add(['a', 'b', 'c', 'd'])
  await groups.retry(async ([member = '']) => {
    if (member === 'b') {
      expect(groups.has('a')).toBe(true)
      groups.delete('a')
    }
    return false
  })
  expect(['a', 'b', 'c', 'd'].filter((member) => groups.has(member))).toEqual(['b', 'c', 'd'])
})

test('what is added during a retry waits for the next one', async () => {
  const groups = new RetryGroups<string>()
  groups.add(['a'])
  const asked: string[] = []
  await groups.retry(async ([member = '']) => {
    asked.push(member)
    groups.add(['b'])
    return true
  })
  expect([asked, groups.has('b')]).toEqual([['a'], true])
})
