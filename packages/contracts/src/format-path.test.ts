import { describe, expect, test } from 'vitest'
import { formatPath } from './format-path.js'

describe('formatPath', () => {
  test.each([
    [[], ''],
    [['content'], 'content'],
    [['recipientIds', 3], 'recipientIds[3]'],
    [['changes', 'a', 'b'], 'changes.a.b'],
    [['changes', 'list', 0, 1, 'name'], 'changes.list[0][1].name'],
    [['changes', 'a.b', ''], 'changes["a.b"][""]'],
    [['changes', 'a\n\u0000\ud800'], 'changes["a\\n\\u0000\\ud800"]'],
    [['changes', '7'], 'changes["7"]'],
  ])('writes %j', (path, formatted) => {
    expect(formatPath(path)).toBe(formatted)
  })

  test('cuts a long key', () => {
    expect(formatPath(['changes', 'k'.repeat(41)])).toBe(`changes["${'k'.repeat(40)}…"]`)
  })

  test('cuts a long path', () => {
    expect(formatPath(new Array(32).fill('k'.repeat(40)))).toHaveLength(201)
  })
})
