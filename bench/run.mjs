// @ts-check
import { cpus, release } from 'node:os'
import process from 'node:process'
import { buildPackages, installDependencies } from '../scripts/prepare.mjs'
import { say } from '../scripts/services/progress.mjs'
import { startServices } from '../scripts/services/services.mjs'

const usage = `usage: npm run bench [-- publish drain push email chat]

Compares the client and the workers with plain uses of the libraries below them, and says whether they are fast enough.
Uses RABBITMQ_URL and DATABASE_URL if they are set, else private instances. Takes about half an hour.`

const names = ['publish', 'drain', 'push', 'email', 'chat']
const print = (/** @type {string} */ line) => process.stdout.write(`${line}\n`)

/**
 * @param {string[]} chosen
 * @param {AbortSignal} signal
 */
async function bench(chosen, signal) {
  await installDependencies()
  await buildPackages()
  // Only here, since they need the dependencies and the build.
  const { compareChat } = await import('./chat.mjs')
  const { compare } = await import('./compare.mjs')
  const { compareLatency } = await import('./compare-latency.mjs')
  const { withDatabase } = await import('./database.mjs')
  const { createDrainComparison } = await import('./drain.mjs')
  const { compareEmail } = await import('./email.mjs')
  const { createPublishComparison } = await import('./publish.mjs')
  const { comparePush } = await import('./push.mjs')
  const { withVhost } = await import('./vhost.mjs')

  /** @type {boolean[]} */
  const held = []
  const services = await startServices({ endWithParent: true })
  try {
    await withVhost(services, (vhost) =>
      withDatabase(services, async (database) => {
        print(describeMachine(vhost.version, database.version))
        const means = { vhost, database }
        const compareHere = (/** @type {import('./compare.mjs').Comparison} */ comparison) =>
          compare(comparison, { print, signal })
        const benchmarks = {
          publish: () => compareHere(createPublishComparison(vhost)),
          drain: () => compareHere(createDrainComparison(means)),
          push: () => comparePush(means, { compare: compareHere, signal }),
          email: () => compareEmail(means, { compare: compareHere, signal }),
          chat: () =>
            compareChat(means, {
              compare: compareHere,
              compareLatency: (comparison) => compareLatency(comparison, { print, signal }),
            }),
        }
        for (const [name, run] of Object.entries(benchmarks)) if (chosen.includes(name)) held.push(await run())
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
