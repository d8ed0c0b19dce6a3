import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'

const root = new URL('../../../', import.meta.url)

test('the README shows the source as it is', async () => {
  const readme = await readFile(new URL('README.md', root), 'utf8')
  const shown = [...readme.matchAll(/^```typescript (\S+)\n(.*?)^```$/gms)]
  expect(shown).toHaveLength(2)
  for (const [, path = '', lines = ''] of shown) expect(await readFile(new URL(path, root), 'utf8')).toContain(lines)
})
