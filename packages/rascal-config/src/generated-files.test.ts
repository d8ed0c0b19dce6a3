import { readFile } from 'node:fs/promises'
import { expect, it } from 'vitest'
import { renderDefinitions } from './render-definitions.js'
import { renderTopologyPage } from './render-topology-page.js'
import { createTopology } from './topology.js'

it.each([
  ['docker/rabbitmq/definitions.json', renderDefinitions],
  ['docs/topology.md', renderTopologyPage],
])('%s is up to date (`npm run generate` writes it)', async (path, render) => {
  const committed = await readFile(new URL(`../../../${path}`, import.meta.url), 'utf8')

  expect(committed).toBe(render(createTopology()))
})
