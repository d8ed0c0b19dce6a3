import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'

const kilobyte = 1_000
const ours = new URL('../dist/browser/index.js', import.meta.url)
const mqtt = createRequire(import.meta.url).resolve('mqtt/dist/mqtt.esm')

const sizeOf = async (file: URL | string) => gzipSync(await readFile(file), { level: 9 }).length

test('a page loads less than 130 KB, of which at most 10 KB are not mqtt.js', async () => {
  const [own, whole] = [await sizeOf(ours), (await sizeOf(ours)) + (await sizeOf(mqtt))]
  process.stdout.write(`gzip: ${own} bytes, with mqtt.js ${whole}\n`)
  expect(own).toBeLessThanOrEqual(10 * kilobyte)
  expect(whole).toBeLessThan(130 * kilobyte)
})

test('a page without a bundler needs an import map of one name', async () => {
  const code = await readFile(ours, 'utf8')
  expect(Array.from(code.matchAll(/\bfrom\s*["'](.+?)["']/g), ([, name]) => name)).toEqual(['mqtt'])
  expect(code).not.toMatch(/\b(require|process|Buffer|import)\s*[.(]/)
})
