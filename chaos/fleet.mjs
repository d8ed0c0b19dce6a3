// @ts-check
import { closeSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { spawnWorker } from '@mono/test-support/tools'
import { spawnWithParent } from '../scripts/services/processes.mjs'

/** As a supervisor in production does. */
const restartAfterMs = 200
/** A worker's own grace period, 25 s, and a while for what is frozen or has to be returned. */
const stopLimitMs = 45_000

/**
 * One place for a worker process, which is filled again whenever the process is gone.
 * @typedef {object} Replica
 * @property {string} name `chat-worker-1`
 * @property {string} worker `chat-worker`
 * @property {number} starts
 * @property {(signal: NodeJS.Signals) => void} kill
 * @property {() => Promise<void>} restart SIGTERM, and until the next process has been started
 *
 * @typedef {object} Fleet
 * @property {Replica[]} replicas
 * @property {string[]} faults processes that ended by themselves, or did not end
 * @property {() => void} freeze SIGSTOP to all
 * @property {() => void} thaw
 * @property {() => string[]} listComplaints what processes wrote on standard error, which their logs do not use
 * @property {() => Promise<void>} stop SIGTERM to all
 */

/**
 * Starts worker processes from their builds and keeps them running. Their logs go to a file each.
 * @param {{ worker: string, count: number, env: Record<string, string | undefined> }[]} workers
 * @param {{ logDirectory: string, mayKillThemselves: boolean }} options
 * @returns {Fleet}
 */
export function startFleet(workers, { logDirectory, mayKillThemselves }) {
  /** @type {string[]} */
  const faults = []
  let stopping = false

  /** @param {string} worker @param {Record<string, string | undefined>} env @param {number} number */
  function fillPlace(worker, env, number) {
    const name = `${worker}-${number}`
    /** @type {import('@mono/test-support/tools').WorkerProcess} */
    let process
    const start = () => {
      const openLog = (/** @type {string} */ ending) => openSync(join(logDirectory, `${name}.${ending}`), 'a')
      /** @type {[number, number]} */
      const files = [openLog('log'), openLog('stderr.log')]
      const ownEnv = { NODE_ENV: 'production', NODE_OPTIONS: '--trace-warnings', HTTP_PORT: '0', ...env }
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

  const replicas = workers.flatMap(({ worker, count, env }) =>
    Array.from({ length: count }, (_, index) => fillPlace(worker, env, index + 1)),
  )
  const signalAll = (/** @type {NodeJS.Signals} */ signal) => {
    for (const replica of replicas) replica.kill(signal)
  }
  return {
    replicas,
    faults,
    freeze: () => signalAll('SIGSTOP'),
    thaw: () => signalAll('SIGCONT'),
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
