import { expect, test } from 'vitest'
import { createOriginNames } from './origin-names.js'

test('a push service has one name in every process, and seven of them fit into the header', () => {
  const nameOf = createOriginNames()
  const name = nameOf('web', 'https://updates.push.services.mozilla.com')
  expect(name).toMatch(/^web-[\w-]{4}$/)
  expect(createOriginNames()('web', 'https://updates.push.services.mozilla.com')).toBe(name)
  expect(nameOf('web', 'https://web.push.apple.com')).not.toBe(name)
})
