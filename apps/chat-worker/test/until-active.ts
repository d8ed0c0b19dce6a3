import { type WorkerProcess, waitFor } from '@mono/test-support'

/** The replica that takes messages: a stand-by says that it is one. */
export async function untilActive(fleet: readonly WorkerProcess[]): Promise<{ place: number; replica: WorkerProcess }> {
  const findActive = async () => {
    for (const [place, replica] of fleet.entries()) {
      if (await isActive(replica).catch(() => false)) return { place, replica }
    }
    return undefined
  }
  return await waitFor(findActive, { what: 'a replica to be active', timeoutMs: 30_000, intervalMs: 10 })
}

async function isActive({ httpUrl }: WorkerProcess): Promise<boolean> {
  const response = await fetch(`${httpUrl}/readyz`)
  const { checks } = (await response.json()) as { checks: { consumer: { state: string } } }
  return response.ok && checks.consumer.state !== 'standby'
}
