// @ts-check
import { cpus, release } from 'node:os'
import process from 'node:process'
import { buildPackages, installDependencies } from '../scripts/prepare.mjs'
import { say } from '../scripts/services/progress.mjs'
import { withServices } from '../scripts/services/services.mjs'

const usage = `usage: npm run bench [-- publish] [-- drain]

Compares the client and the audit worker with plain amqplib and pg, and says whether they are fast enough.
Uses RABBITMQ_URL and DATABASE_URL if they are set, else private instances. Takes about four minutes.`

const names = ['publish', 'drain']
const print = (/** @type {string} */ line) => process.stdout.write(`${line}\n`)

/** @param {string[]} chosen */
async function bench(chosen) {
  await installDependencies()
  await buildPackages()
  // Only here, since they need the dependencies and the build.
  const { compare } = await import('./compare.mjs')
  const { withDatabase } = await import('./database.mjs')
  const { createDrainComparison } = await import('./drain.mjs')
  const { createPublishComparison } = await import('./publish.mjs')
  const { withVhost } = await import('./vhost.mjs')

  const signal = abortOnSignal()
  /** @type {boolean[]} */
  const held = []
  await withServices((services) =>
    withVhost(services, (vhost) =>
      withDatabase(services, async (database) => {
        print(describeMachine(vhost.version, database.version))
        const comparisons = { publish: createPublishComparison(vhost), drain: createDrainComparison(vhost, database) }
        for (const [name, comparison] of Object.entries(comparisons)) {
          if (chosen.includes(name)) held.push(await compare(comparison, { print, signal }))
        }
      }),
    ),
  )
  if (held.includes(false)) process.exitCode = 1
}

/** So that an interrupted run still drops what it has made. */
function abortOnSignal() {
  const controller = new AbortController()
  for (const name of /** @type {const} */ (['SIGINT', 'SIGTERM'])) {
    process.once(name, () => controller.abort(new Error(`Stopped by ${name}.`)))
  }
  return controller.signal
}

/**
 * @param {string} rabbitmqVersion
 * @param {string} postgresVersion
 */
function describeMachine(rabbitmqVersion, postgresVersion) {
  const [cpu] = cpus()
  const versions = `Node ${process.version}, RabbitMQ ${rabbitmqVersion}, PostgreSQL ${postgresVersion}`
  return `${versions}, ${process.platform} ${release()}, ${cpus().length} cores (${cpu?.model.trim()})`
}

const chosen = process.argv.slice(2)
if (chosen.every((name) => names.includes(name))) {
  try {
    await bench(chosen.length > 0 ? chosen : names)
  } catch (error) {
    say(error instanceof Error ? error.message : String(error))
    process.exitCode = 1
  }
} else {
  say(usage)
  process.exitCode = 1
}
