import { readFile } from 'node:fs/promises'
import { expect, it } from 'vitest'
import { createBrokerUsers } from './broker-users.js'
import { renderDefinitions } from './render-definitions.js'
import { renderPermissions } from './render-permissions.js'
import { renderQueueRules } from './render-queue-rules.js'
import { renderTopologyPage } from './render-topology-page.js'
import { createTopology } from './topology.js'
import { workQueues } from './work-queues.js'

it.each([
  ['docker/rabbitmq/definitions.json', renderDefinitions(createTopology())],
  ['docker/rabbitmq/permissions.json', renderPermissions(createBrokerUsers())],
  ['docker/prometheus/rules/topology.yml', renderQueueRules(Object.values(workQueues))],
  ['docs/topology.md', renderTopologyPage(createTopology())],
])('%s is up to date (`npm run generate` writes it)', async (path, text) => {
  const committed = await readFile(new URL(`../../../${path}`, import.meta.url), 'utf8')

  expect(committed).toBe(text)
})
