import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process'

export interface Exit {
  code: number | null
  signal: NodeJS.Signals | null
}

export interface SpawnNodeOptions {
  /** In place of Node's: for a process that is to end with this one, for example. */
  spawn?: ((command: string, args: string[], options: SpawnOptions) => ChildProcess) | undefined
  /** Descriptors of files for standard output and standard error. Default: pipes. */
  files?: [number, number] | undefined
}

/**
 * Starts a script as a process of its own. It gets the given environment and PATH, and nothing else of the caller's:
 * what a worker reads is what the test says.
 */
export function spawnNode(
  script: string,
  args: string[],
  env: Record<string, string | undefined>,
  { spawn: spawnAs = spawn, files = undefined }: SpawnNodeOptions = {},
): ChildProcess {
  return spawnAs(process.execPath, [script, ...args], {
    // biome-ignore lint/style/noProcessEnv: PATH is passed on, not read
    env: { PATH: process.env.PATH, ...env },
    stdio: ['ignore', ...(files ?? (['pipe', 'pipe'] as const))],
  })
}

/** Resolves when the process is gone and its output has been read; rejects if it could not be started. */
export async function untilExited(child: ChildProcess): Promise<Exit> {
  return await new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) => resolve({ code, signal }))
  })
}
