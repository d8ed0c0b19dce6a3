// @ts-check
import { accessSync, constants, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { findExisting, localDirectory } from './paths.mjs'
import { isAlive, toProcessId } from './processes.mjs'
import { say } from './progress.mjs'

/**
 * What `.local/state.json` keeps between runs. Ports are wishes: one that is taken by then is chosen anew.
 * @typedef {object} State
 * @property {Record<string, number>} [nativePorts]
 * @property {Record<string, number>} [composePorts]
 * @property {string} [composeProject]
 * @property {string[]} [composeServices] those that were started here; absent: somebody else's, never stopped here
 * @property {{ images: string, at: number }} [failedPull] images that could not be had, and when (Unix milliseconds)
 * @property {{ [service: string]: import('./processes.mjs').ProcessId }} [owners] per private instance, and for
 *   `compose`: the process that ends it; absent: it runs until `--stop`
 * @property {import('./processes.mjs').ProcessId[]} [users] processes that use another one's private instances
 */

const stateFile = join(localDirectory, 'state.json')
const lockFile = join(localDirectory, 'services.lock')

/** @returns {State} empty when there is none, or an unreadable one */
export function readState() {
  try {
    const state = JSON.parse(readFileSync(stateFile, 'utf8'))
    return typeof state === 'object' && state !== null ? state : {}
  } catch {
    return {}
  }
}

function makeLocalDirectory() {
  if (existsSync(localDirectory)) return
  // On a read-only file system `mkdir` would only say that there is no such directory.
  accessSync(findExisting(localDirectory), constants.W_OK)
  mkdirSync(localDirectory, { recursive: true })
}

/**
 * @param {Partial<{ [K in keyof State]: State[K] | undefined }>} changes undefined removes a key
 * @returns {State}
 */
export function updateState(changes) {
  const state = /** @type {State} */ ({ ...readState(), ...changes })
  makeLocalDirectory()
  writeFileSync(`${stateFile}.new`, `${JSON.stringify(state, null, 2)}\n`)
  renameSync(`${stateFile}.new`, stateFile)
  return state
}

/**
 * Notes what was stopped. Where there is no room to write it down, the next start looks for itself.
 * @param {() => void} note
 */
export function noteStop(note) {
  try {
    note()
  } catch (error) {
    if (!isUnwritable(error)) throw error
  }
}

/** @param {unknown} error */
const isUnwritable = (error) =>
  ['ENOSPC', 'EROFS'].includes(/** @type {NodeJS.ErrnoException | undefined} */ (error)?.code ?? '')

/**
 * Sets who ends a service, or, with undefined, that nobody does.
 * @param {string[]} services
 * @param {import('./processes.mjs').ProcessId | undefined} owner
 */
export function setOwner(services, owner) {
  const owners = { ...readState().owners }
  for (const service of services) {
    if (owner) owners[service] = owner
    else delete owners[service]
  }
  updateState({ owners })
}

/** @returns {import('./processes.mjs').ProcessId | undefined} */
function readLockHolder() {
  try {
    return JSON.parse(readFileSync(lockFile, 'utf8'))
  } catch {
    return undefined
  }
}

/**
 * Only one process of a clone starts or stops services at a time; a lock whose holder has died is taken over.
 * @template T
 * @param {() => Promise<T>} work
 * @param {{ evenIfFull?: boolean }} [options] `evenIfFull`: on a full disk the lock cannot say who holds it, and `work`,
 *   which stops services, is done all the same
 * @returns {Promise<T>}
 */
export async function withLock(work, { evenIfFull = false } = {}) {
  makeLocalDirectory()
  const mine = JSON.stringify(toProcessId(process.pid))
  for (let told = false; ; await delay(200)) {
    try {
      writeFileSync(lockFile, mine, { flag: 'wx' })
      break
    } catch (error) {
      const { code } = /** @type {NodeJS.ErrnoException} */ (error)
      if (code === 'ENOSPC' && evenIfFull) break
      if (code === 'ENOSPC') rmSync(lockFile, { force: true })
      if (code !== 'EEXIST') throw error
    }
    const holder = readLockHolder()
    if (!isAlive(holder)) {
      // Unreadable for a moment while its holder writes it: look again before taking it over.
      await delay(100)
      if (!isAlive(readLockHolder())) rmSync(lockFile, { force: true })
    } else if (!told) {
      say(`waiting for process ${holder?.pid}, which is starting or stopping this clone's services`)
      told = true
    }
  }
  try {
    return await work()
  } finally {
    rmSync(lockFile, { force: true })
  }
}
