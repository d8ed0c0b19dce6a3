import { runCommand } from './run-command.js'

/** Whether a Docker engine answers. */
export async function hasEngine(): Promise<boolean> {
  try {
    await runCommand('docker', ['info'], { timeoutMs: 10_000 })
    return true
  } catch {
    return false
  }
}
