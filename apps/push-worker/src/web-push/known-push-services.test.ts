import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { knownPushServices } from './known-push-services.js'

test('the README names every host that endpoints may have', async () => {
  const readme = await readFile(new URL('../../README.md', import.meta.url), 'utf8')
  for (const host of knownPushServices.flatMap(({ hosts }) => hosts)) expect(readme).toContain(`\`${host}\``)
})
