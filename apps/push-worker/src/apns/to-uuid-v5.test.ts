import { expect, test } from 'vitest'
import { toUuidV5 } from './to-uuid-v5.js'

/** RFC 9562, appendix A.4, and the tests of Python's `uuid`. */
test.each([
  ['6ba7b810-9dad-11d1-80b4-00c04fd430c8', 'www.example.com', '2ed6657d-e927-568b-95e1-2665a8aea6a2'],
  ['6ba7b810-9dad-11d1-80b4-00c04fd430c8', 'python.org', '886313e1-3b8a-5372-9b90-0c9aee199e5d'],
])('of namespace %s and name %s is %s', (namespace, name, uuid) => {
  expect(toUuidV5(namespace, name)).toBe(uuid)
})
