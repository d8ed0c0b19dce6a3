// @ts-check
import { parseArgs } from 'node:util'
import { describeFailure } from '../describe-failure.mjs'
import { buildPackages, installDependencies } from '../prepare.mjs'
import { say, step } from '../services/progress.mjs'
import { startServices } from '../services/services.mjs'
import { workers } from '../workers.mjs'
import { openFarEnds } from './far-ends.mjs'
import { keepVapidKeys } from './keep-vapid-keys.mjs'
import { renderOutcomes } from './render-table.mjs'
import { runExamples } from './run-examples.mjs'

const usage = `usage: npm start [-- --once]

Starts broker, database, all workers and the example application, and prints the address of its page. Then it sends each
worker an example and shows what was done with it.
Runs until Ctrl-C.
  --once   end after the table; exit code 1 if something was not done within a minute`

/** @type {{ what: string, release: () => Promise<void> }[]} what to end, the latest first */
const releases = []
/** @type {Promise<void> | undefined} */
let releasing

/** Ends everything that was started here, going on past failures. */
function releaseAll() {
  releasing ??= (async () => {
    for (const { what, release } of releases.reverse()) {
      await release().catch((/** @type {unknown} */ error) => {
        say(`${what} could not be stopped: ${describeFailure(error)}`)
      })
    }
  })()
  return releasing
}

let interruptedAt = Number.NEGATIVE_INFINITY

/** @param {NodeJS.Signals} signal */
function interrupt(signal) {
  // One Ctrl-C may come twice: from the terminal, and passed on by npm.
  if (performance.now() - interruptedAt < 300) return
  interruptedAt = performance.now()
  // The kernel tells what still runs to end with us.
  if (releasing) process.exit(1)
  say(`${signal}: stopping (once more: at once)`)
  void releaseAll().then(() => process.exit())
}

/** @param {boolean} once */
async function start(once) {
  await installDependencies()
  await buildPackages()
  // Only here, since they need the dependencies and the build.
  const { migrate } = await import('@mono/test-support/tools')
  const { makeLedgersCountable, migrateApplication } = await import('./application.mjs')
  const { startProcesses } = await import('./start-processes.mjs')
  const services = await startServices({ endWithParent: true })
  releases.push({ what: 'broker and database', release: services.stop })
  const { rabbitmqUrl, managementUrl, databaseUrl } = services
  await step('migrating the database', async () => {
    const migrateWorkers = async () => {
      for (const { name } of workers) await migrate(name, databaseUrl)
    }
    await Promise.all([migrateWorkers(), migrateApplication(databaseUrl)])
    await makeLedgersCountable(databaseUrl)
  })
  const farEnds = await openFarEnds({ vapid: await keepVapidKeys() })
  releases.push({ what: 'push services and mail catcher', release: farEnds.close })
  const { processes, application } = await startProcesses(services, farEnds)
  releases.push({
    what: 'the workers',
    release: async () => {
      await step('stopping the workers', () => Promise.all(processes.map(({ stop }) => stop())))
    },
  })
  const untilReady = async (/** @type {typeof processes[number]} */ one) => {
    await one.ready()
    if (one === application && !once)
      process.stdout.write(`\nOpen ${one.url}/  and, as a second user, once more in a private window\n\n`)
  }
  await step('waiting for the workers', () => Promise.all(processes.map(untilReady)))
  const outcomes = await step('waiting for the effects of the examples', () =>
    runExamples(workers, services, farEnds, application?.url),
  )
  process.stdout.write(`\n${renderOutcomes(outcomes)}\n\n`)
  if (outcomes.some(({ done }) => done === undefined)) process.exitCode = 1
  if (once) return
  process.stdout.write(
    [
      `RabbitMQ     ${managementUrl}  user ${decodeURIComponent(new URL(rabbitmqUrl.split(',')[0] ?? '').username)}, password as in ${rabbitmqUrl}`,
      `PostgreSQL   ${databaseUrl}`,
      `Mails        ${farEnds.mailPage}`,
      ...(application ? [`The page     ${application.url}/`] : []),
      ...processes.map(({ name, url }) => `${name.padEnd(12)} ${url}/readyz  ${url}/metrics`),
      '',
      'Ctrl-C stops everything.',
      '',
    ].join('\n'),
  )
  const { name, code, signal } = await Promise.race(
    processes.map(async (worker) => ({ name: worker.name, ...(await worker.ended) })),
  )
  // A signal to all of us ends the workers too; then it is no failure of theirs.
  if (releasing) return
  throw new Error(`${name} ended by itself with ${signal ?? `code ${code}`}: stopping the others`)
}

/** @returns {{ once?: boolean, help?: boolean } | undefined} undefined: there is one that nobody knows, which was said */
function readArguments() {
  try {
    return parseArgs({ options: { once: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } } }).values
  } catch (error) {
    say(`${describeFailure(error)}\n${usage}`)
    process.exitCode = 1
    return undefined
  }
}

const values = readArguments()
if (values?.help) {
  process.stdout.write(`${usage}\n`)
} else if (values) {
  process.on('SIGINT', interrupt).on('SIGTERM', interrupt)
  try {
    await start(values.once === true)
  } catch (error) {
    // What fails because it is being stopped needs no telling.
    if (!releasing) {
      say(describeFailure(error))
      process.exitCode = 1
    }
  }
  await releaseAll()
  process.exit()
}
