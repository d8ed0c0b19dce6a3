/**
 * Entry of `npm run generate`: writes the files that are rendered from the topology. With `--check` it compares instead,
 * and exits 1 naming each stale file.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { createBrokerUsers } from './broker-users.js'
import { findTopologyFaults } from './find-topology-faults.js'
import { renderDefinitions } from './render-definitions.js'
import { renderPermissions } from './render-permissions.js'
import { renderQueueRules } from './render-queue-rules.js'
import { renderTopologyPage } from './render-topology-page.js'
import { createTopology } from './topology.js'
import { workQueues } from './work-queues.js'

/** By its own path in `dist`: the package is built as CommonJS too, which has no `import.meta`. */
const repository = resolve(process.argv[1] ?? '', '../../../..')
const topology = createTopology()
const files = [
  { path: 'docker/rabbitmq/definitions.json', text: renderDefinitions(topology) },
  { path: 'docker/rabbitmq/permissions.json', text: renderPermissions(createBrokerUsers()) },
  { path: 'docker/prometheus/rules/topology.yml', text: renderQueueRules(Object.values(workQueues)) },
  { path: 'docs/topology.md', text: renderTopologyPage(topology) },
]

void render()

async function render(): Promise<void> {
  const faults = findTopologyFaults(topology)
  if (faults.length > 0) {
    process.stderr.write(
      `The topology is not sound, nothing was written:\n${faults.map((fault) => `- ${fault}\n`).join('')}`,
    )
    process.exitCode = 1
    return
  }
  for (const { path, text } of files) {
    if (process.argv.includes('--check')) await check(path, text)
    else await write(path, text)
  }
}

async function check(path: string, text: string): Promise<void> {
  const found = await readFile(join(repository, path), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
  if (found === text) return
  process.stderr.write(
    `${path} is ${found === undefined ? 'missing' : 'stale'}: run \`npm run generate\` and commit it.\n`,
  )
  process.exitCode = 1
}

async function write(path: string, text: string): Promise<void> {
  await mkdir(join(repository, dirname(path)), { recursive: true })
  await writeFile(join(repository, path), text)
  process.stdout.write(`Wrote ${path}.\n`)
}
