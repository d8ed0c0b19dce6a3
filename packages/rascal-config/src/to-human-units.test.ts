import { expect, it } from 'vitest'
import { toHumanDuration, toHumanNumber } from './to-human-units.js'

it.each([
  [1_000, '1 second'],
  [90_000, '90 seconds'],
  [900_000, '15 minutes'],
  [3_600_000, '1 hour'],
  [604_800_000, '7 days'],
  [1_500, '1,500 ms'],
])('writes %d milliseconds as %s', (ms, expected) => {
  expect(toHumanDuration(ms)).toBe(expected)
})

it('parts thousands by commas', () => {
  expect(toHumanNumber(500_000)).toBe('500,000')
})
