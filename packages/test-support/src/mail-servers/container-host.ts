import type { MailServerHost } from './mail-server-host.js'
import { runCommand } from './run-command.js'
import { runWhenGone } from './run-when-gone.js'

const listen = { address: '0.0.0.0', smtp: 25, smtps: 465 }

/** A container of its own, with its ports on 127.0.0.1. */
export async function createContainerHost(image: string): Promise<MailServerHost> {
  const publish = [listen.smtp, listen.smtps].flatMap((port) => ['--publish', `127.0.0.1::${port}`])
  const id = (await runCommand('docker', ['run', '--detach', '--rm', '--init', ...publish, image])).toString().trim()
  const callOff = runWhenGone(`docker rm --force ${id}`)
  const remove = async () => {
    callOff()
    await runCommand('docker', ['rm', '--force', id])
  }
  try {
    const portOf = async (port: number) => {
      const published = await runCommand('docker', ['port', id, `${port}/tcp`])
      return Number(/:(\d+)\s*$/m.exec(published.toString())?.[1])
    }
    return {
      root: '/srv/mail-server',
      listen,
      ports: { smtp: await portOf(listen.smtp), smtps: await portOf(listen.smtps) },
      run: (script) => runCommand('docker', ['exec', id, 'sh', '-euc', script]),
      remove,
    }
  } catch (error) {
    await remove()
    throw error
  }
}
