import { expect, test } from 'vitest'
import { createOriginNames } from './origin-names.js'

test('a push service has one short name in every process, and one for each channel that is there', () => {
  const nameOf = createOriginNames()
  const name = nameOf('web', 'https://updates.push.services.mozilla.com')
  expect(name).toMatch(/^web-[\w-]{4}$/)
  expect(createOriginNames()('web', 'https://updates.push.services.mozilla.com')).toBe(name)
  expect(nameOf('web', 'https://web.push.apple.com')).not.toBe(name)
  expect(nameOf('web', 'https://fcm.googleapis.com')).toMatch(/^web-/)
  expect(nameOf('fcm', 'https://fcm.googleapis.com')).toMatch(/^fcm-/)
})
