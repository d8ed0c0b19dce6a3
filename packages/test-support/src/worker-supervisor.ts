import { type SpawnWorkerOptions, spawnWorker, type WorkerProcess } from './spawn-worker.js'
import { waitFor } from './wait-for.js'

export interface WorkerSupervisor {
  /** As `spawnWorker`; what is left of it after the test is killed. */
  spawn(name: string, env: Record<string, string>, options?: Pick<SpawnWorkerOptions, 'entry'>): WorkerProcess
}

export interface OwnedWorkerSupervisor extends WorkerSupervisor {
  /**
   * Kills what is left; from now on `spawn` throws, so that a test that starts workers again and again comes to its end.
   * @throws Error that names each worker that was still running although the test had not sent it SIGKILL
   */
  killLeftovers(options?: { graceMs?: number }): Promise<void>
}

export function createWorkerSupervisor(spawn: WorkerSupervisor['spawn'] = spawnWorker): OwnedWorkerSupervisor {
  const workers: { name: string; process: WorkerProcess }[] = []
  let isOver = false
  return {
    spawn(name, env, options) {
      if (isOver) throw new Error(`Expected no worker to be started after the test, found a ${name} that is`)
      const process = spawn(name, env, options)
      workers.push({ name, process })
      return process
    },
    async killLeftovers({ graceMs = 2_000 } = {}) {
      isOver = true
      const leftovers: string[] = []
      for (const { name, process } of workers) {
        if (process.running && process.signals.length > 0) await untilGone(process, graceMs).catch(() => undefined)
        if (!process.running) continue
        const sent = process.signals.join(', ') || 'none'
        leftovers.push(`${name} (pid ${process.pid}, signals sent by the test: ${sent})`)
        process.kill('SIGKILL')
        await untilGone(process, 10_000)
      }
      if (leftovers.length === 0) return
      throw new Error(
        `${leftovers.length} worker(s) had to be killed after the test: ${leftovers.join('; ')}. ` +
          'End each with `await worker.terminate()`, or with `kill` and `await worker.exited`.',
      )
    },
  }
}

async function untilGone(process: WorkerProcess, timeoutMs: number): Promise<void> {
  await waitFor(() => !process.running, { what: `process ${process.pid} to end`, timeoutMs })
}
