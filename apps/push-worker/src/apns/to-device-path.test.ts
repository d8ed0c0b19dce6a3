import { expect, test } from 'vitest'
import { toDevicePath } from './to-device-path.js'

test.each([
  ['ab'.repeat(32), `/3/device/${'ab'.repeat(32)}`],
  ['AB09Ef', '/3/device/ab09ef'],
  ['0'.repeat(400), `/3/device/${'0'.repeat(400)}`],
])('%s is a token', (address, path) => {
  expect(toDevicePath(address)).toBe(path)
})

test.each(['', '0'.repeat(401), 'xyz', '../3/device/ab', 'ab?c', 'ab\n', ' ab', 'ａｂ', 'a-b'])(
  '%j is none',
  (address) => {
    expect(toDevicePath(address)).toBeUndefined()
  },
)
