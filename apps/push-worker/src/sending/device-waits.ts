import { backoffMs } from '@mono/waiting'

/** Devices that a push service wants nothing for, for a while: whoever asks sooner only makes it longer. */
export interface DeviceWaits {
  /** Milliseconds that the endpoint still has to wait. */
  remainingMs(endpoint: string): number | undefined
  /** Begins a wait; without a time it grows with each one in a row. Returns the milliseconds. */
  begin(endpoint: string, ms?: number): number
  /** It was served. */
  end(endpoint: string): void
}

export interface DeviceWaitsOptions {
  /** Milliseconds since 1970. */
  now?: () => number
  /** From 0 to 1. Default `Math.random`. */
  random?: () => number
}

const waitTimes = { first: 5_000, max: 60_000 }

/** Whoever is forgotten is asked again, and told again to wait. */
const devicesToKeep = 10_000

export function createDeviceWaits({ now = Date.now, random = Math.random }: DeviceWaitsOptions = {}): DeviceWaits {
  /** The longest known first. */
  const waits = new Map<string, { until: number; count: number }>()

  function makeRoom(): void {
    for (const [endpoint, { until }] of waits) if (until <= now()) waits.delete(endpoint)
    for (const endpoint of waits.keys()) {
      // A tenth at once, so that looking through all of them is rare.
      if (waits.size < devicesToKeep * 0.9) return
      waits.delete(endpoint)
    }
  }

  return {
    remainingMs(endpoint) {
      const remainingMs = (waits.get(endpoint)?.until ?? 0) - now()
      return remainingMs > 0 ? remainingMs : undefined
    },
    begin(endpoint, ms) {
      const count = (waits.get(endpoint)?.count ?? 0) + 1
      const waitMs = ms ?? backoffMs(count, { ...waitTimes, random })
      if (!waits.has(endpoint) && waits.size >= devicesToKeep) makeRoom()
      waits.set(endpoint, { until: now() + waitMs, count })
      return waitMs
    },
    end(endpoint) {
      waits.delete(endpoint)
    },
  }
}
