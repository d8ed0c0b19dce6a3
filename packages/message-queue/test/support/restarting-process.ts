import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'

export interface RestartingProcess {
  /** How often it has ended by itself. */
  readonly deaths: number
  /** Ends it for good: SIGTERM, and waits. */
  stop(): Promise<void>
}

/** Runs a script, and runs it again whenever it ends, as a supervisor does. Each line of its output is a JSON object. */
export function startRestartingProcess(
  script: string,
  env: Record<string, string>,
  onLine: (line: Record<string, unknown>) => void,
): RestartingProcess {
  let stopping = false
  let deaths = 0
  let child: ChildProcess | undefined

  async function keepRunning(): Promise<void> {
    while (!stopping) {
      child = spawn(process.execPath, [script], { env, stdio: ['ignore', 'pipe', 'inherit'] })
      const closed = once(child, 'close')
      if (child.stdout) createInterface(child.stdout).on('line', (line) => onLine(JSON.parse(line)))
      await closed
      if (!stopping) deaths += 1
    }
  }

  const ended = keepRunning()
  return {
    get deaths() {
      return deaths
    },
    async stop() {
      stopping = true
      child?.kill('SIGTERM')
      await ended
    },
  }
}
