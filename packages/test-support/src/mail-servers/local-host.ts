import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findFreePort } from '../find-free-port.js'
import type { MailServerHost } from './mail-server-host.js'
import { runCommand } from './run-command.js'

/** This machine: everything is in a directory of its own, and nothing of the system's is touched. */
export async function createLocalHost(): Promise<MailServerHost> {
  const directory = mkdtempSync(join(tmpdir(), 'mail-server-'))
  // The server's processes have users of their own.
  chmodSync(directory, 0o755)
  const ports = { smtp: findFreePort(), smtps: findFreePort() }
  return {
    root: join(directory, 'server'),
    listen: { address: '127.0.0.1', ...ports },
    ports,
    run: (script) => runCommand('sh', ['-euc', script]),
    async remove() {
      rmSync(directory, { recursive: true, force: true })
    },
  }
}
