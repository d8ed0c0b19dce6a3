import { DeferError } from '@mono/message-queue'
import { createSlots, type Slots } from '@mono/waiting'

/** Whose devices want a turn, and how many they are. */
export interface TurnRequest {
  tenantId: number
  devices: number
}

/**
 * Bounds how many devices of each push service are in hand, of all messages together: each of them takes memory, and is
 * claimed for this process. Messages whose devices are at another push service are not behind them, and those with few
 * devices behind nobody. Tenants take turns.
 */
export interface OriginTurns {
  /**
   * Resolves when the devices may be claimed; what it resolves with is called when they are done.
   * @throws DeferError when their turn has not come within a minute, or the signal's reason
   */
  enter(origin: string, request: TurnRequest, signal: AbortSignal): Promise<() => void>
}

/** As many messages are in flight as `PREFETCH` says, so their devices are not many together. */
const mostOfFew = 10

const deadline = {
  ms: 60_000,
  createError: () => new DeferError('A push service takes notifications more slowly than they come'),
}

/** @param limit the devices of a push service in hand, and those of one message beyond */
export function createOriginTurns(limit: number): OriginTurns {
  const turnsByOrigin = new Map<string, Slots>()

  function turnsOf(origin: string): Slots {
    const turns = turnsByOrigin.get(origin) ?? createSlots(limit)
    turnsByOrigin.set(origin, turns)
    return turns
  }

  function forgetIfIdle(origin: string, { held, waiting }: Slots): void {
    if (held === 0 && waiting === 0) turnsByOrigin.delete(origin)
  }

  return {
    async enter(origin, { tenantId, devices: count }, signal) {
      if (count <= mostOfFew) return () => {}
      const turns = turnsOf(origin)
      try {
        await turns.acquire(signal, { group: tenantId, count, deadline })
      } catch (error) {
        forgetIfIdle(origin, turns)
        throw error
      }
      return () => {
        turns.release(count)
        forgetIfIdle(origin, turns)
      }
    },
  }
}
