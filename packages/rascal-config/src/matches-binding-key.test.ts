import { expect, it } from 'vitest'
import { matchesBindingKey } from './matches-binding-key.js'

it.each([
  ['chat.*', 'chat.direct', true],
  ['chat.*', 'chat', false],
  ['chat.*', 'chat.direct.1', false],
  ['chat.messages', 'chat.messages', true],
  ['chat.messages', 'chat.message', false],
  ['#', '', true],
  ['#', 'a.b.c', true],
  ['chat.#', 'chat', true],
  ['chat.#', 'chat.1.user', true],
  ['#.send', 'email.send', true],
  ['#.send', 'email.sends', false],
  ['a.#.b.*', 'a.x.b.y.b.z', true],
  ['a.#.b.*', 'a.x.b', false],
])('matches binding key %s with routing key %s: %s', (bindingKey, routingKey, expected) => {
  expect(matchesBindingKey(bindingKey, routingKey)).toBe(expected)
})
