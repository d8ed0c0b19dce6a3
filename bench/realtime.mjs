// @ts-check
import process from 'node:process'
import { parseArgs } from 'node:util'
import { buildPackages, installDependencies } from '../scripts/prepare.mjs'
import { say } from '../scripts/services/progress.mjs'
import { withServices } from '../scripts/services/services.mjs'

const usage = `usage: npm run bench:realtime -- [--clients=2000] [--conversations=100] [--open=1] [--rate=10] [--seconds=60] [--bytes=87] [--slow=0] [--pid=0]

Opens so many browsers' clients, each in a process of Node.js with others and with some of the conversations open, and
broadcasts so many messages a second in all, with contents of so many bytes. Beside them it opens slow ones, which read
nothing for that time. Prints what was lost, how long a broadcast took, and what the broker used; of a broker in a
container the pid on this machine has to be given.
Uses RABBITMQ_URL, REALTIME_URL and REALTIME_KEY_FILE if they are set, else a private instance; a node of Docker Compose
or of the private broker takes 2,000 connections (web_mqtt.max_connections in docker/rabbitmq/realtime.conf).`

const print = (/** @type {string} */ line) => process.stdout.write(`${line}\n`)

/** @typedef {{ clients: number, conversations: number, open: number, rate: number, seconds: number, bytes: number, slow: number, pid: number }} Load */

/** @returns {Load | undefined} undefined: the arguments cannot be used */
function readLoad() {
  const defaults = { clients: 2_000, conversations: 100, open: 1, rate: 10, seconds: 60, bytes: 87, slow: 0, pid: 0 }
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
  // Only here, since it needs the dependencies and the build.
  const { measureRealtime } = await import('./realtime-measure.mjs')
  await withServices(async (services) => {
    if ((await measureRealtime(load, services, print)) > 0) process.exitCode = 1
  })
}

const load = readLoad()
if (load === undefined) {
  say(usage)
  process.exitCode = 1
} else {
  try {
    await bench(load)
  } catch (error) {
    say(error instanceof Error ? error.message : String(error))
    process.exitCode = 1
  }
}
