// @ts-check

import { execFile, spawn } from 'node:child_process'
import { accessSync, constants, readdirSync, readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { environment } from '../environment.mjs'

/**
 * A process, told apart from a later one with the same pid by its start time (clock ticks after boot).
 * @typedef {{ pid: number, startedAt: string }} ProcessId
 */

/**
 * @param {number | 'self'} pid
 * @param {string} file
 * @returns {string | undefined} undefined when the process is gone or not ours to look at
 */
function readProc(pid, file) {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'latin1')
  } catch {
    return undefined
  }
}

/**
 * State and start time; the command name in between may hold spaces and parentheses.
 * @param {number} pid
 */
function readStat(pid) {
  const fields = readProc(pid, 'stat')?.split(') ').at(-1)?.split(' ')
  return fields && { state: fields[0] ?? '', parent: Number(fields[1]), startedAt: fields[19] ?? '' }
}

/**
 * @param {number} pid
 * @returns {ProcessId}
 */
export function toProcessId(pid) {
  return { pid, startedAt: readStat(pid)?.startedAt ?? '' }
}

/** @param {ProcessId | undefined} id */
export function isAlive(id) {
  if (!id) return false
  if (process.platform === 'linux') {
    const stat = readStat(id.pid)
    return stat !== undefined && stat.state !== 'Z' && stat.startedAt === id.startedAt
  }
  try {
    return process.kill(id.pid, 0)
  } catch {
    return false
  }
}

/** Set for every service process; where /proc does not show a process's environment, its command line has the name too. */
export const instanceVariable = 'MONO_SERVICES_INSTANCE'

/**
 * This clone's service processes, found by their name alone: no state file is needed, so none can be stale.
 * @param {string} instance
 * @returns {(ProcessId & { command: string, parent: number })[]}
 */
export function findInstanceProcesses(instance) {
  if (process.platform !== 'linux') return []
  const found = []
  for (const entry of readdirSync('/proc')) {
    const pid = Number(entry)
    if (!Number.isInteger(pid) || pid === process.pid) continue
    const command = readProc(pid, 'comm')?.trim() ?? ''
    const named =
      readProc(pid, 'environ')?.split('\0').includes(`${instanceVariable}=${instance}`) ||
      (['postgres', 'beam.smp'].includes(command) && readProc(pid, 'cmdline')?.includes(instance))
    const stat = named ? readStat(pid) : undefined
    if (stat && stat.state !== 'Z') found.push({ pid, startedAt: stat.startedAt, command, parent: stat.parent })
  }
  return found
}

/**
 * @param {ProcessId} id
 * @param {number} timeoutMs
 * @returns {Promise<boolean>} whether it ended in time
 */
export async function waitForExit(id, timeoutMs) {
  const deadline = performance.now() + timeoutMs
  while (isAlive(id)) {
    if (performance.now() > deadline) return false
    await delay(50)
  }
  return true
}

/**
 * Signals a process unless it has ended, or its pid belongs to another one by now.
 * @param {ProcessId} id
 * @param {NodeJS.Signals} signal
 */
export function signalProcess(id, signal) {
  if (!isAlive(id)) return
  try {
    process.kill(id.pid, signal)
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'ESRCH') throw error
  }
}

/** @param {string} path */
export function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/**
 * Where a command is on the PATH.
 * @param {string} command
 */
export function findCommand(command) {
  return (environment.PATH ?? '')
    .split(':')
    .map((directory) => `${directory}/${command}`)
    .find(isExecutable)
}

/**
 * A command line which the kernel sends `signal` when this process is gone, however it went. Where `setpriv` is
 * missing, the command line as it is.
 * @param {string} command
 * @param {string[]} args
 * @param {NodeJS.Signals | undefined} signal undefined: none
 * @returns {[string, string[]]}
 */
export function endingWithParent(command, args, signal) {
  const setpriv = signal && process.platform === 'linux' ? findCommand('setpriv') : undefined
  if (!signal || !setpriv) return [command, args]
  return [setpriv, ['--pdeathsig', signal.replace(/^SIG/, ''), '--', command, ...args]]
}

/**
 * Starts a process in a session of its own, so that the terminal's Ctrl-C reaches only us.
 * @param {string} command
 * @param {string[]} args
 * @param {import('node:child_process').SpawnOptions & { endWithParent?: NodeJS.Signals | undefined }} options
 */
export function spawnDetached(command, args, { endWithParent, ...options }) {
  const [file, argv] = endingWithParent(command, args, endWithParent)
  return spawn(file, argv, { ...options, detached: true })
}

/**
 * `spawnDetached`, for whoever takes a `spawn` of Node's.
 * @param {NodeJS.Signals} endWithParent
 * @returns {(command: string, args: string[], options: import('node:child_process').SpawnOptions) => import('node:child_process').ChildProcess}
 */
export const spawnWithParent = (endWithParent) => (command, args, options) =>
  spawnDetached(command, args, { ...options, endWithParent })

/**
 * Runs a command to its end.
 * @param {string} command
 * @param {string[]} args
 * @param {import('node:child_process').ExecFileOptions} [options]
 * @returns {Promise<{ code: number, stdout: string, stderr: string }>} code -1: not found, or it took too long
 */
export function run(command, args, options = {}) {
  return new Promise((resolve) => {
    const child = execFile(command, args, { maxBuffer: 64 << 20, ...options }, (error, stdout, stderr) => {
      const code = error ? (typeof error.code === 'number' ? error.code : -1) : 0
      resolve({ code, stdout: String(stdout), stderr: String(stderr) || (error?.message ?? '') })
    })
    child.stdin?.end()
  })
}
