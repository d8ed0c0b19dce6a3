// @ts-check
import { availableParallelism } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { broadcastSteadily, declareRealtime } from './realtime-broadcasts.mjs'
import { createHistory } from './realtime-history.mjs'
import { openBrowsers, openSlowBrowsers } from './realtime-processes.mjs'
import { watchBroker } from './watch-broker.mjs'

/** Clients in one process, so few that they are not late by themselves. */
const perProcess = 1_000

/** After slow ones have read what waited for them, memory is given back only then. */
const memorySettlesMs = 10_000

/** @typedef {Awaited<ReturnType<typeof watchBroker>>} Broker */

/**
 * Opens the clients, broadcasts, and prints what became of both.
 * @param {import('./realtime.mjs').Load} load
 * @param {import('../scripts/services/services.mjs').Services} services
 * @param {(line: string) => void} print
 * @returns {Promise<number>} messages that a client has not received
 */
export async function measureRealtime(load, services, print) {
  const { realtime, rabbitmqUrl } = services
  if (realtime === undefined)
    throw new Error('This broker is given without REALTIME_URL and REALTIME_KEY_FILE: set both')
  await declareRealtime(rabbitmqUrl)
  const broker = await watchBroker(services, load.pid || undefined)
  const history = await createHistory()
  /** @type {(() => Promise<void>)[]} */
  const releases = [history.close, async () => broker.stop()]
  try {
    const idle = await broker.look()
    print(
      `${describe(load)}; RabbitMQ ${broker.version}, ${availableParallelism()} cores, ulimit -n ${idle.openFilesLimit}`,
    )
    const since = Date.now()
    const { conversations, open } = load
    const means = { realtime, historyUrl: history.url, conversations, open }
    const browsers = await openBrowsers(load.clients, { ...means, perProcess })
    releases.push(browsers.close)
    for (const line of await renderConnected(load.clients, { broker, idle, since })) print(line)
    const slowOnes = await openSlowBrowsers(load.slow, means)
    releases.push(slowOnes.close)
    const { lost, lines } = await measureBroadcasts(load, { rabbitmqUrl, broker, history, browsers })
    for (const line of lines) print(line)
    if (load.slow > 0) {
      print(`slow ones: ${JSON.stringify(await slowOnes.readAll())} after they read again`)
      await sleep(memorySettlesMs)
      print(`  broker's memory then ${toMb((await broker.look()).memory)}`)
    }
    return lost
  } finally {
    await Promise.all(releases.map((release) => release()))
  }
}

/**
 * @param {number} clients
 * @param {{ broker: Broker, idle: { memory: number }, since: number }} means
 */
async function renderConnected(clients, { broker, idle, since }) {
  const until = Date.now()
  const cpuMs = broker.cpuBetween(since, until)
  const { memory } = await broker.look()
  const seconds = (until - since) / 1000
  const each = ((memory - idle.memory) / clients / 1024).toFixed()
  const cpu = cpuMs === undefined ? '' : `, ${(cpuMs / clients).toFixed(1)} ms of the broker's processor time each`
  return [
    `connected: ${clients} in ${seconds.toFixed(1)} s, ${(clients / seconds).toFixed()}/s${cpu}`,
    `  broker's memory ${toMb(idle.memory)} → ${toMb(memory)}, ${each} KiB each`,
  ]
}

/**
 * @param {import('./realtime.mjs').Load} load
 * @param {object} means
 * @param {string} means.rabbitmqUrl
 * @param {Broker} means.broker
 * @param {import('./realtime-history.mjs').History} means.history
 * @param {Awaited<ReturnType<typeof openBrowsers>>} means.browsers
 */
async function measureBroadcasts(load, { rabbitmqUrl, broker, history, browsers }) {
  const since = Date.now()
  const endWatch = broker.watchMemory()
  const published = await broadcastSteadily(rabbitmqUrl, load, history)
  const until = Date.now()
  const { lost, count, filled, p50, p99, max, errors } = await browsers.untilAll(history)
  const seconds = (until - since) / 1000
  const cpuMs = broker.cpuBetween(since, until)
  const cpu = cpuMs === undefined ? '' : `${(cpuMs / seconds / 10).toFixed()} % of a core, `
  const lines = [
    `broadcast: ${published} in ${seconds.toFixed(1)} s, ${(count / seconds).toFixed()} delivered a second`,
    `  lost ${lost}, loaded ${filled}; p50 ${p50} ms, p99 ${p99} ms, longest ${max} ms`,
    `  broker: ${cpu}memory at most ${toMb(await endWatch())}`,
  ]
  if (errors.length > 0) lines.push(`  errors of the clients: ${JSON.stringify(errors)}`)
  return { lost, lines }
}

/** @param {import('./realtime.mjs').Load} load */
function describe({ clients, conversations, open, rate, seconds, bytes, slow }) {
  const browsers = `${clients} browsers${slow > 0 ? ` and ${slow} slow ones` : ''} with ${open} of ${conversations} conversations`
  return `${browsers}, ${rate} messages/s of ${bytes} bytes for ${seconds} s`
}

/** @param {number} bytes */
const toMb = (bytes) => `${(bytes / 1024 / 1024).toFixed()} MiB`
