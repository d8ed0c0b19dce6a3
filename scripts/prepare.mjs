// @ts-check
import { spawn } from 'node:child_process'
import { accessSync, constants, readdirSync, rmSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'
import { findCause } from './describe-failure.mjs'
import { environment } from './environment.mjs'
import { assertRoom, readFreeMb } from './services/disk-space.mjs'
import { rootDirectory } from './services/paths.mjs'
import { step } from './services/progress.mjs'

/** @param {string} path */
const modifiedAt = (path) => statSync(path, { throwIfNoEntry: false })?.mtimeMs

const installedLockFile = join(rootDirectory, 'node_modules/.package-lock.json')

/** Dependencies and build take 320 MB, and npm some more while it unpacks. */
const installationMb = 500

/** npm writes its own copy of the lock file last, so that an interrupted installation counts as none. */
function areDependenciesInstalled() {
  const installed = modifiedAt(installedLockFile)
  const wanted = modifiedAt(join(rootDirectory, 'package-lock.json'))
  return installed !== undefined && (wanted === undefined || installed >= wanted)
}

/**
 * The reason of a failure is at one of the ends.
 * @param {string} output
 */
function shorten(output) {
  const lines = output.trim().split('\n')
  return lines.length > 60 ? [...lines.slice(0, 20), '…', ...lines.slice(-40)].join('\n') : lines.join('\n')
}

/**
 * @param {string} command
 * @param {NodeJS.ErrnoException} error
 */
function toSpawnError(command, error) {
  if (error.code !== 'ENOENT') return error
  return new Error(`There is no ${basename(command)} on the PATH: install it, or add its directory to PATH.`)
}

/**
 * Runs a command and keeps its output to itself unless it fails.
 * @param {string} command
 * @param {string[]} args
 * @param {NodeJS.ProcessEnv} [env]
 * @returns {Promise<void>}
 */
export function runQuietly(command, args, env = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: rootDirectory,
      env: { ...environment, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => {
        output += text
      })
    }
    child.once('error', (error) => reject(toSpawnError(command, error)))
    child.once('close', (code, signal) => {
      if (code === 0) return resolve()
      const shown = [basename(command), ...args].join(' ')
      const how = `"${shown}" failed with ${signal ?? `code ${code}`}`
      const cause = findCause(output)
      reject(new Error(`${how}${cause ? `, it seems since ${cause}` : ''}:\n${shorten(output)}`))
    })
  })
}

/**
 * Runs a command whose output is for whoever looks on.
 * @param {string} command
 * @param {string[]} args
 * @param {NodeJS.ProcessEnv} [env]
 * @param {{ timeoutMs?: number }} [limits] the time after which it gets SIGTERM; default none
 * @returns {Promise<number>} its exit code, 1 if a signal ended it
 */
export function runShown(command, args, env = {}, { timeoutMs } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: rootDirectory,
      env: { ...environment, ...env },
      stdio: ['ignore', 'inherit', 'inherit'],
      timeout: timeoutMs,
    })
    child.once('error', reject)
    child.once('close', (code) => resolve(code ?? 1))
  })
}

/** Installs exactly what package-lock.json says, unless that has been done. */
export async function installDependencies() {
  try {
    accessSync(rootDirectory, constants.W_OK)
  } catch {
    throw new Error(
      `${rootDirectory} cannot be written to, and dependencies and build go there: use a checkout of your own.`,
    )
  }
  if (areDependenciesInstalled()) return
  assertRoom(rootDirectory, { neededMb: installationMb, what: 'the dependencies' })
  await step('installing dependencies', () => runQuietly('npm', ['ci', '--no-audit', '--no-fund']))
  if (readFreeMb(rootDirectory) > 0) return
  // On a full disk npm may end with 0 and write its copy of the lock file beside half a dependency.
  rmSync(installedLockFile, { force: true })
  throw new Error(`The disk of ${rootDirectory} is full: free some space, and run this again.`)
}

export const turbo = join(rootDirectory, 'node_modules/.bin/turbo')

/** @type {NodeJS.ProcessEnv} */
export const turboEnvironment = { TURBO_TELEMETRY_DISABLED: '1', DO_NOT_TRACK: '1', TURBO_NO_UPDATE_NOTIFIER: '1' }

export async function buildPackages() {
  await step('building', () => runQuietly(turbo, ['run', 'build', '--output-logs=errors-only'], turboEnvironment))
}

/** @returns {string[]} directories of all packages, relative to the root */
export function listPackages() {
  return ['packages', 'apps', 'examples'].flatMap((group) =>
    readdirSync(join(rootDirectory, group))
      .filter((name) => modifiedAt(join(rootDirectory, group, name, 'package.json')) !== undefined)
      .map((name) => join(group, name)),
  )
}
