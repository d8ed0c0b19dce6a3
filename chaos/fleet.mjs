// @ts-check
import { closeSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { spawnWorker, waitFor } from '@mono/test-support/tools'
import { instanceName } from '../scripts/services/paths.mjs'
import { choosePorts } from '../scripts/services/ports.mjs'
import { spawnWithParent } from '../scripts/services/processes.mjs'

/** As a supervisor in production does. */
const restartAfterMs = 200
/** A worker's own grace period, 25 s, and a while for what is frozen or has to be returned. */
const stopLimitMs = 45_000
const activeLimitMs = 30_000
const answerLimitMs = 2000

/**
 * One place for a worker process, which is filled again whenever the process is gone.
 * @typedef {object} Replica
 * @property {string} name `chat-worker-1`
 * @property {string} worker `chat-worker`
 * @property {number} starts
 * @property {(options: { timeoutMs: number }) => Promise<void>} untilReady its `/readyz` says 200
 * @property {() => Promise<number | undefined>} countAcked deliveries since it was started last, if it answers
 * @property {(name: string, labels: Record<string, string>) => Promise<number | undefined>} readMetric if it answers
 * @property {() => Promise<boolean>} isActive it takes messages; a stand-by does not
 * @property {(signal: NodeJS.Signals) => void} kill
 * @property {() => Promise<void>} restart SIGTERM, and until the next process has been started
 *
 * @typedef {object} Fleet
 * @property {Replica[]} replicas
 * @property {string[]} faults processes that ended by themselves, or did not end
 * @property {(worker: string) => Promise<Replica>} untilActive resolves with one that takes messages
 * @property {() => void} freeze SIGSTOP to all
 * @property {() => void} thaw
 * @property {(pattern: RegExp) => number} countLogged lines of all logs
 * @property {() => string[]} listComplaints what processes wrote on standard error, which their logs do not use
 * @property {() => Promise<void>} stop SIGTERM to all
 */

/**
 * Starts worker processes from their builds and keeps them running. Their logs go to a file each.
 * @param {{ worker: string, count: number, env: Record<string, string | undefined> }[]} workers
 * @param {{ logDirectory: string, mayKillThemselves: boolean }} options
 * @returns {Promise<Fleet>}
 */
export async function startFleet(workers, { logDirectory, mayKillThemselves }) {
  const places = workers.flatMap(({ worker, count, env }) =>
    Array.from({ length: count }, (_, index) => ({ name: `${worker}-${index + 1}`, worker, env })),
  )
  const ports = await choosePorts(Object.fromEntries(places.map(({ name }) => [name, undefined])), instanceName)
  /** @type {string[]} */
  const faults = []
  let stopping = false

  /** @param {{ name: string, worker: string, env: Record<string, string | undefined> }} place */
  function fillPlace({ name, worker, env }) {
    /** @type {import('@mono/test-support/tools').WorkerProcess} */
    let process
    const start = () => {
      const openLog = (/** @type {string} */ ending) => openSync(join(logDirectory, `${name}.${ending}`), 'a')
      /** @type {[number, number]} */
      const files = [openLog('log'), openLog('stderr.log')]
      const httpPort = String(ports[name])
      const ownEnv = { NODE_ENV: 'production', NODE_OPTIONS: '--trace-warnings', HTTP_PORT: httpPort, ...env }
      process = spawnWorker(worker, ownEnv, { spawn: spawnWithParent('SIGKILL'), files })
      for (const file of files) closeSync(file)
      replica.starts += 1
      void replace(process)
    }
    /** @param {import('@mono/test-support/tools').WorkerProcess} process */
    const replace = async ({ exited, signals: sent }) => {
      const { code, signal } = await exited
      const mayBeKilled = mayKillThemselves || sent.includes('SIGKILL')
      const expected = (mayBeKilled && signal === 'SIGKILL') || (sent.includes('SIGTERM') && code === 0)
      if (!expected) faults.push(`${name} ended with ${signal ?? `code ${code}`} after ${sent.join(', ') || 'nothing'}`)
      if (!stopping) await sleep(restartAfterMs)
      if (!stopping) start()
    }
    const terminate = async () => {
      await process.terminate({ timeoutMs: stopLimitMs }).catch((error) => {
        faults.push(error.message)
        process.kill('SIGKILL')
      })
      await process.exited
    }
    const replica = {
      name,
      worker,
      starts: 0,
      untilReady: (/** @type {{ timeoutMs: number }} */ options) => process.ready(options),
      countAcked: () => replica.readMetric('mono_deliveries_total', { outcome: 'acked' }),
      async readMetric(/** @type {string} */ metric, /** @type {Record<string, string>} */ labels) {
        const value = process.metric(metric, labels).catch(() => undefined)
        return await Promise.race([value, sleep(answerLimitMs, undefined)])
      },
      async isActive() {
        const signal = AbortSignal.timeout(answerLimitMs)
        const response = await fetch(`${process.httpUrl}/readyz`, { signal })
        const { checks } = /** @type {any} */ (await response.json())
        return response.ok && checks.consumer.state !== 'standby'
      },
      kill: (/** @type {NodeJS.Signals} */ signal) => process.kill(signal),
      async restart() {
        await terminate()
        await sleep(restartAfterMs + 50)
      },
      async stop() {
        if (process.running) await terminate()
      },
    }
    start()
    return replica
  }

  const replicas = places.map(fillPlace)
  const signalAll = (/** @type {NodeJS.Signals} */ signal) => {
    for (const replica of replicas) replica.kill(signal)
  }
  return {
    replicas,
    faults,
    async untilActive(wanted) {
      const candidates = replicas.filter(({ worker }) => worker === wanted)
      const findActive = async () => {
        for (const replica of candidates) if (await replica.isActive().catch(() => false)) return replica
        return undefined
      }
      return await waitFor(findActive, { what: `a ${wanted} to be active`, timeoutMs: activeLimitMs })
    },
    freeze: () => signalAll('SIGSTOP'),
    thaw: () => signalAll('SIGCONT'),
    countLogged: (pattern) =>
      replicas
        .flatMap(({ name }) => readFileSync(join(logDirectory, `${name}.log`), 'utf8').split('\n'))
        .filter((line) => pattern.test(line)).length,
    listComplaints() {
      /** @type {Map<string, string[]>} by what was written first */
      const namesByText = new Map()
      for (const { name } of replicas) {
        const [first = ''] = readFileSync(join(logDirectory, `${name}.stderr.log`), 'utf8').split('\n')
        const text = first.replace(/^\(node:\d+\) /, '').slice(0, 120)
        if (text) namesByText.set(text, [...(namesByText.get(text) ?? []), name])
      }
      return [...namesByText].map(([text, names]) => `${names.join(', ')} wrote on standard error: ${text}`)
    },
    async stop() {
      stopping = true
      await Promise.all(replicas.map((replica) => replica.stop()))
    },
  }
}
