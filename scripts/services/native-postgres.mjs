// @ts-check

import {
  chownSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { explainFailure } from '../describe-failure.mjs'
import { environment } from '../environment.mjs'
import { instanceName, localDirectory } from './paths.mjs'
import { probePostgres } from './probe-postgres.mjs'
import {
  findInstanceProcesses,
  instanceVariable,
  isExecutable,
  run,
  signalProcess,
  spawnDetached,
  waitForExit,
} from './processes.mjs'
import { waitUntilReady } from './wait-until-ready.mjs'

const packageRoot = '/usr/lib/postgresql'
const directory = join(localDirectory, 'postgres')
const logFile = join(directory, 'postgres.log')
const startLimitMs = 60_000

const databaseUser = { name: 'postgres', password: 'postgres' }
const databaseName = 'mono'

/** @param {number} port */
export const databaseUrl = (port) =>
  `postgres://${databaseUser.name}:${databaseUser.password}@127.0.0.1:${port}/${databaseName}`

/** @returns {string | undefined} the newest installed version's programs */
export function findPostgresBinaries() {
  if (!existsSync(packageRoot)) return undefined
  const versions = readdirSync(packageRoot).sort((a, b) => Number(b) - Number(a))
  return versions.map((version) => join(packageRoot, version, 'bin')).find((bin) => isExecutable(join(bin, 'postgres')))
}

/**
 * PostgreSQL refuses to run as root: then it runs as the package's user.
 * @returns {{ uid: number, gid: number } | undefined}
 */
function serverUser() {
  if (process.getuid?.() !== 0) return undefined
  const entry = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find((line) => line.startsWith('postgres:'))
  const [, , uid, gid] = entry?.split(':') ?? []
  if (!uid || !gid) throw new Error('there is no user postgres, which the package postgresql makes: install it again')
  return { uid: Number(uid), gid: Number(gid) }
}

/**
 * Runs a program of the server on the data directory. The directory is handed over open, as descriptor 3: the server's
 * user need not be able to reach it by its path, which may lie below another user's private home.
 * @param {string} program
 * @param {string} dataDirectory
 * @param {string[]} args
 * @param {{ endWithParent?: NodeJS.Signals | undefined, passwordFile?: string, instance?: string }} options
 *   `passwordFile` becomes descriptor 4
 */
function spawnServer(program, dataDirectory, args, { endWithParent, passwordFile, instance = instanceName }) {
  const user = serverUser()
  const descriptors = [openSync(logFile, 'a'), openSync(dataDirectory, 'r')]
  if (passwordFile) descriptors.push(openSync(passwordFile, 'r'))
  const [output, ...rest] = /** @type {[number, ...number[]]} */ (descriptors)
  try {
    return spawnDetached(program, ['-D', '/proc/self/fd/3', ...args], {
      ...user,
      cwd: '/',
      env: { PATH: environment.PATH, LANG: 'C.UTF-8', [instanceVariable]: instance },
      stdio: ['ignore', output, output, ...rest],
      endWithParent,
    })
  } finally {
    for (const descriptor of descriptors) closeSync(descriptor)
  }
}

/**
 * @param {string} bin
 * @param {string} dataDirectory
 */
async function createCluster(bin, dataDirectory) {
  rmSync(dataDirectory, { recursive: true, force: true })
  mkdirSync(dataDirectory, { recursive: true, mode: 0o700 })
  const passwordFile = join(directory, 'password')
  writeFileSync(passwordFile, databaseUser.password, { mode: 0o600 })
  const user = serverUser()
  if (user) for (const path of [dataDirectory, passwordFile]) chownSync(path, user.uid, user.gid)
  const options = ['-U', databaseUser.name, '-A', 'scram-sha-256', '--pwfile', '/proc/self/fd/4']
  const child = spawnServer(
    join(bin, 'initdb'),
    dataDirectory,
    [...options, '-E', 'UTF8', '--locale=C.UTF-8', '--no-sync'],
    { passwordFile },
  )
  const code = await new Promise((resolve) => {
    child.once('error', () => resolve(-1))
    child.once('exit', resolve)
  })
  rmSync(passwordFile, { force: true })
  if (code !== 0) {
    rmSync(dataDirectory, { recursive: true, force: true })
    throw explainFailure(`PostgreSQL's initdb failed with code ${code}`, readLog(), logFile)
  }
}

function readLog() {
  return existsSync(logFile) ? readFileSync(logFile, 'utf8') : ''
}

/**
 * @param {string} bin
 * @param {number} port
 */
async function createDatabase(bin, port) {
  const { name, password } = databaseUser
  const env = { PATH: environment.PATH, LANG: 'C.UTF-8', PGPASSWORD: password, PGCONNECT_TIMEOUT: '10' }
  const psql = (/** @type {string} */ sql) =>
    run(join(bin, 'psql'), ['-X', '-h', '127.0.0.1', '-p', String(port), '-U', name, '-d', 'postgres', '-tAc', sql], {
      env,
    })
  const found = await psql(`select 1 from pg_database where datname = '${databaseName}'`)
  const made = found.code === 0 && found.stdout.trim() === '' ? await psql(`create database ${databaseName}`) : found
  if (made.code !== 0) throw new Error(`the database ${databaseName} could not be created: ${made.stderr.trim()}`)
}

/**
 * @param {string} [instance] default: the private database server
 * @returns {import('./processes.mjs').ProcessId | undefined} the postmaster, parent of the others
 */
export function findRunningPostgres(instance = instanceName) {
  const servers = findInstanceProcesses(instance).filter(({ command }) => command === 'postgres')
  return servers.find(({ parent }) => !servers.some(({ pid }) => pid === parent))
}

/**
 * Starts the private database server and waits until it takes sessions.
 * @param {number} port
 * @param {{ endWithParent: boolean }} options
 */
export async function startPostgres(port, { endWithParent }) {
  const bin = findPostgresBinaries()
  if (!bin) throw new Error(`there is no PostgreSQL server below ${packageRoot}`)
  const dataDirectory = dataDirectoryOf(bin)
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  rmSync(logFile, { force: true })
  if (!existsSync(join(dataDirectory, 'PG_VERSION'))) await createCluster(bin, dataDirectory)
  const fault = await spawnPostgres(bin, dataDirectory, port, { endWithParent: endWithParent ? 'SIGINT' : undefined })
  if (fault !== undefined) {
    await stopPostgres()
    throw explainFailure(`PostgreSQL did not start (${fault})`, readLog(), logFile)
  }
  await createDatabase(bin, port)
}

/** @param {string} bin of which the data is: the format differs between major versions */
const dataDirectoryOf = (bin) => join(directory, basename(dirname(bin)))

/**
 * @param {string} bin
 * @param {string} dataDirectory
 * @param {number} port
 * @param {{ endWithParent?: NodeJS.Signals | undefined, instance?: string }} options
 * @returns {Promise<string | undefined>} why it takes no sessions
 */
async function spawnPostgres(bin, dataDirectory, port, { endWithParent, instance = instanceName }) {
  // No process of this instance runs: a pid file can only be a leftover, whose pid may be another's by now.
  rmSync(join(dataDirectory, 'postmaster.pid'), { force: true })
  const settings = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    cluster_name: instance,
    // Test suites side by side, each with pools of its own.
    max_connections: '300',
  }
  const args = Object.entries(settings).flatMap(([key, value]) => ['-c', `${key}=${value}`])
  const child = spawnServer(join(bin, 'postgres'), dataDirectory, ['-p', String(port), ...args], {
    endWithParent,
    instance,
  })
  /** @type {string | undefined} */
  let ended
  child.on('error', (error) => {
    ended = error.message
  })
  child.on('exit', (code, signal) => {
    ended = `it ended with ${signal ?? `code ${code}`}`
  })
  child.unref()
  return await waitUntilReady(() => probePostgres(databaseUrl(port), 2000), {
    timeoutMs: startLimitMs,
    intervalMs: 30,
    ended: () => ended,
  })
}

/** Processes are also found by a name that their command line contains: this does not contain the other. */
const standbyInstance = instanceName.replace('mono-', 'mono-standby-')

/**
 * Makes a standby of the private database server: a copy that follows it.
 * @param {{ primaryPort: number, port: number }} options
 */
export async function startStandby({ primaryPort, port }) {
  const bin = findPostgresBinaries()
  if (!bin) throw new Error(`there is no PostgreSQL server below ${packageRoot}`)
  const dataDirectory = `${dataDirectoryOf(bin)}-standby`
  rmSync(dataDirectory, { recursive: true, force: true })
  const { username, password } = new URL(databaseUrl(primaryPort))
  const copied = await run(
    join(bin, 'pg_basebackup'),
    ['-h', '127.0.0.1', '-p', String(primaryPort), '-U', username, '-D', dataDirectory, '-R', '-c', 'fast'],
    { env: { PATH: environment.PATH, LANG: 'C.UTF-8', PGPASSWORD: password } },
  )
  if (copied.code !== 0) throw new Error(`the database could not be copied: ${copied.stderr.trim()}`)
  const user = serverUser()
  if (user) await run('chown', ['-R', `${user.uid}:${user.gid}`, dataDirectory])
  const fault = await spawnPostgres(bin, dataDirectory, port, { endWithParent: 'SIGINT', instance: standbyInstance })
  if (fault !== undefined) throw explainFailure(`The standby did not start (${fault})`, readLog(), logFile)
}

/**
 * Puts the standby in the place of the private database server, which has ended. It takes sessions, and writes nothing
 * before it is promoted.
 * @param {number} port
 */
export async function replaceByStandby(port) {
  const bin = findPostgresBinaries()
  if (!bin) throw new Error(`there is no PostgreSQL server below ${packageRoot}`)
  await stopPostgres(standbyInstance)
  rmSync(dataDirectoryOf(bin), { recursive: true, force: true })
  renameSync(`${dataDirectoryOf(bin)}-standby`, dataDirectoryOf(bin))
  await startPostgres(port, { endWithParent: true })
}

/**
 * Stops the private database server: at SIGINT it ends open sessions, at SIGTERM it would wait for them.
 * @param {string} [instance]
 */
export async function stopPostgres(instance = instanceName) {
  const server = findRunningPostgres(instance)
  if (!server) return
  signalProcess(server, 'SIGCONT')
  signalProcess(server, 'SIGINT')
  if (!(await waitForExit(server, 10_000))) signalProcess(server, 'SIGKILL')
  await waitForExit(server, 2000)
}
