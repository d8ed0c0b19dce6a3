// @ts-check
import { availableParallelism } from 'node:os'
import process from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { buildPackages, installDependencies } from '../scripts/prepare.mjs'
import { say } from '../scripts/services/progress.mjs'
import { withServices } from '../scripts/services/services.mjs'

const usage = `usage: npm run bench:realtime -- [--clients=2000] [--conversations=100] [--rate=10] [--seconds=60] [--bytes=87] [--slow=0] [--pid=0]

Opens so many browsers' clients, each in a process of Node.js with others and with one of the conversations open, and
broadcasts so many messages a second in all, with contents of so many bytes. Beside them it opens slow ones, which read
nothing for that time. Prints what was lost, how long a broadcast took, and what the broker used; of a broker in a
container the pid on this machine has to be given.
Uses RABBITMQ_URL, REALTIME_URL and REALTIME_KEY_FILE if they are set, else a private instance; a node of Docker Compose
or of the private broker takes 5,000 connections (web_mqtt.max_connections in docker/rabbitmq/realtime.conf).`

/** Clients in one process: so that none of them is slow by itself. */
const clientsOfProcess = 1_000

const print = (/** @type {string} */ line) => process.stdout.write(`${line}\n`)

/** @typedef {{ clients: number, conversations: number, rate: number, seconds: number, bytes: number, slow: number, pid: number }} Load */

/** @returns {Load | undefined} undefined: the arguments cannot be used */
function readLoad() {
  const defaults = { clients: 2_000, conversations: 100, rate: 10, seconds: 60, bytes: 87, slow: 0, pid: 0 }
  try {
    const names = Object.keys(defaults)
    const options = Object.fromEntries(names.map((name) => [name, { type: /** @type {const} */ ('string') }]))
    const given = Object.entries(parseArgs({ options }).values).map(([name, value]) => [name, Number(value)])
    const load = { ...defaults, ...Object.fromEntries(given) }
    return Object.values(load).every((value) => Number.isInteger(value) && value >= 0) ? load : undefined
  } catch {
    return undefined
  }
}

/** @param {Load} load */
async function bench(load) {
  await installDependencies()
  await buildPackages()
  const { openBrowsers, openSlowBrowsers } = await import('./realtime-processes.mjs')
  const { createHistory } = await import('./realtime-history.mjs')
  const { declareRealtime, broadcastSteadily } = await import('./realtime-broadcasts.mjs')
  const { watchBroker } = await import('./watch-broker.mjs')

  await withServices(async (services) => {
    const { realtime } = services
    if (realtime === undefined) throw new Error('REALTIME_URL and REALTIME_KEY_FILE are not set: see the usage')
    await declareRealtime(services.rabbitmqUrl)
    const broker = await watchBroker(services, load.pid || undefined)
    const history = await createHistory()
    const { clients, conversations, slow } = load
    const means = { realtime, historyUrl: history.url, conversations }
    print(`${describe(load)}; broker: RabbitMQ ${broker.version}; ${availableParallelism()} cores`)
    const idle = await broker.look()
    print(`ulimit -n of the broker: ${idle.openFilesLimit}`)

    const browsers = await openBrowsers(clients, { ...means, perProcess: clientsOfProcess })
    const slowOnes = await openSlowBrowsers(slow, means)
    try {
      const connected = await broker.look()
      const perConnection = (connected.memory - idle.memory) / (clients + slow) / 1024
      print(`connected: ${clients} in ${browsers.seconds.toFixed(1)} s, ${(clients / browsers.seconds).toFixed()}/s`)
      print(`  broker's memory ${toMb(idle.memory)} → ${toMb(connected.memory)}, ${perConnection.toFixed()} KiB each`)

      const since = Date.now()
      const highest = broker.watchMemory()
      const published = await broadcastSteadily(services.rabbitmqUrl, load, history)
      const until = Date.now()
      const cpuMs = broker.cpuBetween(since, until)
      const received = await browsers.untilAll(history)
      const { lost, filled, p50, p99, max } = received
      const seconds = (until - since) / 1000
      const delivered = received.count / seconds
      print(`broadcast: ${published} in ${seconds.toFixed(1)} s, ${delivered.toFixed()} delivered a second`)
      print(`  lost ${lost}, filled by the application ${filled}; p50 ${p50} ms, p99 ${p99} ms, longest ${max} ms`)
      print(`  errors of the clients: ${JSON.stringify(received.errors)}`)
      print(
        `  broker: ${cpuMs === undefined ? 'processor time not known' : `${(cpuMs / seconds / 10).toFixed()} % of a core`}`,
      )
      print(`  broker's memory at most ${toMb(await highest())}`)
      if (slow > 0) {
        print(`slow ones: ${JSON.stringify(await slowOnes.readAll())} after they read again`)
        await sleep(10_000)
        print(`  broker's memory 10 s later ${toMb((await broker.look()).memory)}`)
      }
      if (lost > 0) process.exitCode = 1
    } finally {
      await Promise.all([browsers.close(), slowOnes.close(), history.close()])
      broker.stop()
    }
  })
}

/** @param {Load} load */
function describe({ clients, conversations, rate, seconds, bytes, slow }) {
  const browsers = `${clients} browsers${slow > 0 ? ` and ${slow} slow ones` : ''} in ${conversations} conversations`
  return `${browsers}, ${rate} messages/s of ${bytes} bytes for ${seconds} s`
}

/** @param {number} bytes */
const toMb = (bytes) => `${(bytes / 1024 / 1024).toFixed()} MiB`

const load = readLoad()
if (load === undefined) {
  say(usage)
  process.exitCode = 1
} else {
  try {
    await bench(load)
  } catch (error) {
    say(error instanceof Error ? (error.stack ?? error.message) : String(error))
    process.exitCode = 1
  }
}
