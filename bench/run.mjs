// @ts-check
import { cpus, release } from 'node:os'
import process from 'node:process'
import { buildPackages, installDependencies } from '../scripts/prepare.mjs'
import { say } from '../scripts/services/progress.mjs'
import { startServices } from '../scripts/services/services.mjs'

const usage = `usage: npm run bench [-- publish] [-- drain]

Compares the client and the audit worker with plain amqplib and pg, and says whether they are fast enough.
Uses RABBITMQ_URL and DATABASE_URL if they are set, else private instances. Takes about four minutes.`

const names = ['publish', 'drain']
const print = (/** @type {string} */ line) => process.stdout.write(`${line}\n`)

/**
 * @param {string[]} chosen
 * @param {AbortSignal} signal
 */
async function bench(chosen, signal) {
  await installDependencies()
  await buildPackages()
  // Only here, since they need the dependencies and the build.
  const { compare } = await import('./compare.mjs')
  const { withDatabase } = await import('./database.mjs')
  const { createDrainComparison } = await import('./drain.mjs')
  const { createPublishComparison } = await import('./publish.mjs')
  const { withVhost } = await import('./vhost.mjs')

  /** @type {boolean[]} */
  const held = []
  const services = await startServices({ endWithParent: true })
  try {
    await withVhost(services, (vhost) =>
      withDatabase(services, async (database) => {
        print(describeMachine(vhost.version, database.version))
        const comparisons = { publish: createPublishComparison(vhost), drain: createDrainComparison(vhost, database) }
        for (const [name, comparison] of Object.entries(comparisons)) {
          if (chosen.includes(name)) held.push(await compare(comparison, { print, signal }))
        }
      }),
    )
  } finally {
    await services.stop()
  }
  if (held.includes(false)) process.exitCode = 1
}

/** So that a run that is interrupted still drops what it has made. */
function abortOnSignal() {
  const controller = new AbortController()
  const abort = () => controller.abort()
  process.on('SIGINT', abort).on('SIGTERM', abort)
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
  const signal = abortOnSignal()
  try {
    await bench(chosen.length > 0 ? chosen : names, signal)
  } catch (error) {
    if (!signal.aborted) say(error instanceof Error ? error.message : String(error))
    process.exitCode = signal.aborted ? 130 : 1
  }
} else {
  say(usage)
  process.exitCode = 1
}
