import { spawn } from 'node:child_process'
import { accessSync, chownSync, constants, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { untilExited } from './child-process.js'
import { findFreePort } from './find-free-port.js'
import { queryOnce } from './test-database.js'
import { waitFor } from './wait-for.js'

/** Where Debian's package puts it; it is not on everybody's PATH. */
const program = '/usr/sbin/pgbouncer'
/** It refuses to run as root. */
const nobody = 65_534

/** Whether Debian's package `pgbouncer` is installed. */
export function hasPgbouncer(): boolean {
  try {
    accessSync(program, constants.X_OK)
    return true
  } catch {
    return false
  }
}

export interface Pgbouncer {
  /** The database's URL with this pooler's address in place of the server's. */
  url: string
  close(): Promise<void>
}

/** PgBouncer in transaction mode with its own defaults: it refuses startup parameters that it does not know. */
export async function startPgbouncer({
  databaseUrl,
  poolSize = 5,
}: {
  databaseUrl: string
  /** Connections to the server at most. Default 5. */
  poolSize?: number
}): Promise<Pgbouncer> {
  const { hostname, port, username, password } = new URL(databaseUrl)
  const ownPort = findFreePort()
  const directory = mkdtempSync(join(tmpdir(), 'pgbouncer-'))
  const file = join(directory, 'pgbouncer.ini')
  const server = `host=${hostname} port=${port || 5432} user=${decodeURIComponent(username)} password=${decodeURIComponent(password)}`
  const settings = {
    listen_addr: '127.0.0.1',
    listen_port: ownPort,
    auth_type: 'any',
    pool_mode: 'transaction',
    default_pool_size: poolSize,
    unix_socket_dir: '',
  }
  const lines = Object.entries(settings).map(([name, value]) => `${name} = ${value}`)
  writeFileSync(file, ['[databases]', `* = ${server}`, '[pgbouncer]', ...lines, ''].join('\n'))
  const isRoot = process.getuid?.() === 0
  if (isRoot) for (const path of [directory, file]) chownSync(path, nobody, nobody)
  const child = spawn(program, ['-q', file], {
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(isRoot && { uid: nobody, gid: nobody }),
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString('utf8')
    })
  }
  const exited = untilExited(child)
  const url = new URL(databaseUrl)
  url.hostname = '127.0.0.1'
  url.port = String(ownPort)
  const close = async () => {
    child.kill('SIGTERM')
    await exited
    rmSync(directory, { recursive: true })
  }
  await waitFor(() => queryOnce(url.href, 'SELECT 1').then(() => true), {
    what: 'PgBouncer to answer',
    timeoutMs: 20_000,
  }).catch(async (error: unknown) => {
    await close()
    throw new Error(`PgBouncer does not serve:\n${output}`, { cause: error })
  })
  return { url: url.href, close }
}
