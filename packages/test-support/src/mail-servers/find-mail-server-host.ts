import { accessSync, constants } from 'node:fs'
import { createContainerHost } from './container-host.js'
import { hasEngine } from './has-engine.js'
import { createLocalHost } from './local-host.js'
import type { MailServerHost } from './mail-server-host.js'
import type { MailServerName } from './mail-server-options.js'
import { runCommand } from './run-command.js'

export interface FoundHost {
  /** @param stop the script that stops the server */
  createHost(stop: string): Promise<MailServerHost>
}

const programs: Readonly<Record<MailServerName, string>> = { postfix: '/usr/sbin/postfix', exim: '/usr/sbin/exim4' }

/**
 * Finds where Debian's mail server can be run. Its packages exclude each other, and installing one of them removes the
 * system's own: so it runs in a container where a Docker engine answers, and else as a private instance of what is
 * installed already.
 *
 * @returns why it cannot be run, if it cannot
 */
export async function findMailServerHost(name: MailServerName): Promise<FoundHost | { obstacle: string }> {
  if (await hasEngine()) {
    try {
      const image = await buildImage(name)
      return { createHost: () => createContainerHost(image) }
    } catch (error) {
      return { obstacle: `its image cannot be built: ${(error as Error).message.trim().split('\n').at(-1)}` }
    }
  }
  const program = programs[name]
  if (!isExecutable(program)) return { obstacle: `no Docker engine answers, and there is no ${program}` }
  if (process.getuid?.() !== 0) return { obstacle: `no Docker engine answers, and ${program} needs root` }
  return { createHost: createLocalHost }
}

async function buildImage(name: MailServerName): Promise<string> {
  const image = `mono-test-${name}`
  const directory = new URL(`../../mail-servers/${name}`, import.meta.url).pathname
  await runCommand('docker', ['build', '--quiet', '--tag', image, directory], { timeoutMs: 240_000 })
  return image
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
