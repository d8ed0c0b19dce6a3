import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findFreePort } from '../find-free-port.js'
import type { MailServerHost } from './mail-server-host.js'
import { runCommand } from './run-command.js'
import { runWhenGone } from './run-when-gone.js'

/**
 * This machine: everything is in a directory of its own, and nothing of the system's is touched.
 * @param stop the script that stops the server, if this process is gone before
 */
export async function createLocalHost(stop: string): Promise<MailServerHost> {
  const directory = mkdtempSync(join(tmpdir(), 'mail-server-'))
  // The server's processes have users of their own.
  chmodSync(directory, 0o755)
  const root = join(directory, 'server')
  const callOff = runWhenGone(`root=${root}\n${stop}\nrm -rf ${directory}`)
  const ports = { smtp: findFreePort(), smtps: findFreePort() }
  return {
    root,
    listen: { address: '127.0.0.1', ...ports },
    ports,
    run: (script) => runCommand('sh', ['-euc', script]),
    async remove() {
      callOff()
      rmSync(directory, { recursive: true, force: true })
    },
  }
}
