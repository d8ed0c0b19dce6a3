import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'

export interface RestartingProcess {
  /** How often it has been killed. */
  readonly deaths: number
  /** Rejects when it ends otherwise than by SIGKILL: it would be started again and again for nothing. */
  readonly failed: Promise<never>
  /** Ends it for good: SIGTERM, and SIGKILL if it is still there ten seconds later. */
  stop(): Promise<void>
}

const stopGraceMs = 10_000

/** Runs a script, and runs it again whenever it is killed, as a supervisor does. Each line of its output is a JSON object. */
export function startRestartingProcess(
  script: string,
  env: Record<string, string>,
  onLine: (line: Record<string, unknown>) => void,
): RestartingProcess {
  let stopping = false
  let deaths = 0
  let child: ChildProcess | undefined
  let onFailed: (error: Error) => void = () => {}
  const failed = new Promise<never>((_resolve, reject) => {
    onFailed = reject
  })
  failed.catch(() => {}) // whoever waits for it hears of it

  async function keepRunning(): Promise<void> {
    while (!stopping) {
      child = spawn(process.execPath, [script], { env, stdio: ['ignore', 'pipe', 'inherit'] })
      const closed = once(child, 'close')
      if (child.stdout) createInterface(child.stdout).on('line', (line) => onLine(JSON.parse(line)))
      const [code, signal] = await closed
      if (stopping) return
      if (signal !== 'SIGKILL') return onFailed(new Error(`${script} ended by itself: ${signal ?? `code ${code}`}`))
      deaths += 1
    }
  }

  const ended = keepRunning()
  return {
    get deaths() {
      return deaths
    },
    failed,
    async stop() {
      stopping = true
      child?.kill('SIGTERM')
      const timer = setTimeout(() => child?.kill('SIGKILL'), stopGraceMs)
      await ended
      clearTimeout(timer)
    },
  }
}
