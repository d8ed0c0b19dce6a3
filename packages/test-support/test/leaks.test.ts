import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, test } from 'vitest'
import { spawnNode, untilExited } from '../src/child-process.js'
import { createManagementApi } from '../src/management-api.js'
import { brokerUrl, databaseServerUrl, managementUrl } from '../src/service-urls.js'
import { queryOnce } from '../src/test-database.js'

interface Outcome {
  title: string
  errors: string[]
  meta: { vhost?: string; database?: string }
}

const outcomes = new Map<string, Outcome>()

beforeAll(async () => {
  const child = spawnNode(fileURLToPath(new URL('./leaking/run.mjs', import.meta.url)), [], {
    RABBITMQ_URL: brokerUrl(),
    RABBITMQ_MANAGEMENT_URL: managementUrl(),
    DATABASE_URL: databaseServerUrl(),
  })
  let output = ''
  let errors = ''
  child.stdout?.on('data', (chunk: Buffer) => {
    output += chunk.toString('utf8')
  })
  child.stderr?.on('data', (chunk: Buffer) => {
    errors += chunk.toString('utf8')
  })
  await untilExited(child)
  const line = output.split('\n').find((candidate) => candidate.startsWith('['))
  if (!line) throw new Error(`The leaking tests did not report:\n${output}\n${errors}`)
  for (const outcome of JSON.parse(line) as Outcome[]) outcomes.set(outcome.title, outcome)
})

describe('a test fails if it', () => {
  test.each([
    ['leaves a connection to its vhost open', /^AMQP connections are still open after the test: forgotten client \(/m],
    ['leaves a connection to its database open', /1 database connection\(s\) still open.*forgotten client \(idle/],
    ['leaves a client of its pool lent out', /pools of the test to end: was a client not released\?/],
    ['leaves a connection to its push service open', /^1 connection\(s\) to the push service are still open/m],
    ['leaves a connection to its SMTP sink open', /^1 connection\(s\) to the SMTP sink are still open/m],
    ['leaves a timer running', /^1 handle\(s\) still open[\s\S]*timer opened at .*leaks\.ts:\d+/m],
    ['leaves a server listening', /^1 handle\(s\) still open[\s\S]*TCP server opened at .*leaks\.ts:\d+/m],
  ])('%s', (title, message) => {
    expect(outcomes.get(title)?.errors.join('\n')).toMatch(message)
  })
})

test.each(['closes all it opened', 'uses no service'])('a test passes that %s', (title) => {
  expect(outcomes.get(title)).toMatchObject({ errors: [] })
})

test('every vhost is gone, also those of failed tests', async () => {
  const vhosts = [...outcomes.values()].flatMap(({ meta }) => meta.vhost ?? [])
  expect(vhosts).toHaveLength(2)
  const management = createManagementApi()
  for (const vhost of vhosts) await expect(management.listConnections(vhost)).rejects.toThrow('got 404')
})

test('every database is gone, also those of failed tests', async () => {
  const databases = [...outcomes.values()].flatMap(({ meta }) => meta.database ?? [])
  expect(databases).toHaveLength(3)
  const found = await queryOnce(databaseServerUrl(), 'SELECT datname FROM pg_database WHERE datname = ANY($1)', [
    databases,
  ])
  expect(found).toEqual([])
})
