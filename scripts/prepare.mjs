// @ts-check
import { spawn } from 'node:child_process'
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { environment } from './environment.mjs'
import { rootDirectory } from './services/paths.mjs'
import { step } from './services/progress.mjs'

/** @param {string} path */
const modifiedAt = (path) => statSync(path, { throwIfNoEntry: false })?.mtimeMs

/** npm writes its own copy of the lock file last, so that an interrupted installation counts as none. */
function areDependenciesInstalled() {
  const installed = modifiedAt(join(rootDirectory, 'node_modules/.package-lock.json'))
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
    child.once('error', reject)
    child.once('close', (code, signal) => {
      if (code === 0) resolve()
      else
        reject(new Error(`${command} ${args.join(' ')} failed with ${signal ?? `code ${code}`}:\n${shorten(output)}`))
    })
  })
}

/**
 * Runs a command whose output is for whoever looks on.
 * @param {string} command
 * @param {string[]} args
 * @param {NodeJS.ProcessEnv} [env]
 * @returns {Promise<number>} its exit code
 */
export function runShown(command, args, env = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: rootDirectory,
      env: { ...environment, ...env },
      stdio: ['ignore', 'inherit', 'inherit'],
    })
    child.once('error', reject)
    child.once('close', (code) => resolve(code ?? 1))
  })
}

/** Installs exactly what package-lock.json says, unless that has been done. */
export async function installDependencies() {
  if (areDependenciesInstalled()) return
  await step('installing dependencies', () => runQuietly('npm', ['ci', '--no-audit', '--no-fund']))
}

export const turbo = join(rootDirectory, 'node_modules/.bin/turbo')

/** @type {NodeJS.ProcessEnv} */
export const turboEnvironment = { TURBO_TELEMETRY_DISABLED: '1', DO_NOT_TRACK: '1', TURBO_NO_UPDATE_NOTIFIER: '1' }

export async function buildPackages() {
  await step('building', () => runQuietly(turbo, ['run', 'build', '--output-logs=errors-only'], turboEnvironment))
}

/** @returns {string[]} directories of all packages, relative to the root */
export function listPackages() {
  return ['packages', 'apps'].flatMap((group) =>
    readdirSync(join(rootDirectory, group))
      .filter((name) => modifiedAt(join(rootDirectory, group, name, 'package.json')) !== undefined)
      .map((name) => join(group, name)),
  )
}
