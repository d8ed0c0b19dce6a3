import { fileURLToPath } from 'node:url'
import { hasEngine, runCommand } from '@mono/test-support/mail-servers'

export interface MailReaders {
  /** Runs a script of the shell with this on its standard input. @returns its standard output */
  run(script: string, input: string | Buffer): Promise<Buffer>
  close(): Promise<void>
}

const image = 'mono-test-mail-readers'
const programs = ['chromium', 'spamassassin']

/**
 * Debian's Chromium and SpamAssassin: in a container where a Docker engine answers, else those that are installed already.
 *
 * @returns why they cannot be run, if they cannot
 */
export async function findMailReaders(): Promise<{ start(): Promise<MailReaders> } | { obstacle: string }> {
  if (await hasEngine()) {
    try {
      const directory = fileURLToPath(new URL('.', import.meta.url))
      await runCommand('docker', ['build', '--quiet', '--tag', image, directory], { timeoutMs: 400_000 })
      return { start: startContainer }
    } catch (error) {
      return { obstacle: `their image cannot be built: ${(error as Error).message.trim().split('\n').at(-1)}` }
    }
  }
  for (const program of programs) {
    const isThere = await runCommand('sh', ['-c', `command -v ${program}`]).catch(() => undefined)
    if (isThere === undefined) return { obstacle: `no Docker engine answers, and ${program} is not installed` }
  }
  return {
    start: async () => ({
      run: (script, input) => runCommand('sh', ['-euc', script], { input }),
      close: async () => {},
    }),
  }
}

async function startContainer(): Promise<MailReaders> {
  const id = (await runCommand('docker', ['run', '--detach', '--rm', '--init', image])).toString().trim()
  return {
    run: (script, input) => runCommand('docker', ['exec', '--interactive', id, 'sh', '-euc', script], { input }),
    async close() {
      await runCommand('docker', ['rm', '--force', id])
    },
  }
}
