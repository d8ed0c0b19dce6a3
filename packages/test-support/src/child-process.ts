import { type ChildProcess, spawn } from 'node:child_process'

export interface Exit {
  code: number | null
  signal: NodeJS.Signals | null
}

/**
 * Starts a script as a process of its own. It gets the given environment and PATH, and nothing else of the caller's:
 * what a worker reads is what the test says.
 */
export function spawnNode(script: string, args: string[], env: Record<string, string | undefined>): ChildProcess {
  return spawn(process.execPath, [script, ...args], {
    // biome-ignore lint/style/noProcessEnv: PATH is passed on, not read
    env: { PATH: process.env.PATH, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
}

/** Resolves when the process is gone and its output has been read; rejects if it could not be started. */
export async function untilExited(child: ChildProcess): Promise<Exit> {
  return await new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) => resolve({ code, signal }))
  })
}
