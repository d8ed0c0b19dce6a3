/** In the order they run: what the test opened, the processes it spawned, the services it used, what is left open. */
const phases = ['test', 'workers', 'services', 'handles'] as const
export type TeardownPhase = (typeof phases)[number]

export interface Teardown {
  /** Registers a release. Within a phase the last registered runs first. */
  add(phase: TeardownPhase, release: () => Promise<unknown> | unknown): void
  /**
   * Runs every release once, also past failures.
   * @throws the one failure, or an AggregateError of several
   */
  run(): Promise<void>
}

/**
 * One list for all fixtures of a test, run by one fixture. Vitest gives up the remaining fixtures' teardown as soon as
 * one throws; a leaked connection would then leave its vhost, database and processes behind.
 */
export function createTeardown(): Teardown {
  const releases = new Map<TeardownPhase, (() => Promise<unknown> | unknown)[]>(phases.map((phase) => [phase, []]))
  return {
    add(phase, release) {
      releases.get(phase)?.push(release)
    },
    async run() {
      const failures: unknown[] = []
      for (const list of releases.values()) {
        for (let release = list.pop(); release; release = list.pop()) {
          try {
            await release()
          } catch (error) {
            failures.push(error)
          }
        }
      }
      throwAll(failures)
    },
  }
}

function throwAll(failures: unknown[]): void {
  if (failures.length === 0) return
  if (failures.length === 1) throw failures[0]
  const messages = failures.map((failure) => (failure instanceof Error ? failure.message : String(failure)))
  throw new AggregateError(failures, `Cleaning up after the test failed:\n- ${messages.join('\n- ')}`)
}
