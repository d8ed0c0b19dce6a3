import { DeferError } from '@mono/message-queue'
import { createSlots } from '@mono/waiting'

/** Whose message wants a turn, and to how many users it goes. */
export interface MailingRequest {
  tenantId: number
  users: number
}

/**
 * Bounds the users whose devices are in memory: a message may be for 10,000, and a hundred messages are in hand. Messages for
 * few users have no need of a turn, so they are behind nobody. Tenants take turns.
 */
export interface MailingTurns {
  /**
   * Resolves when the message may be served; what it resolves with is called when that is over.
   * @throws DeferError when its turn has not come within a minute: others may wait in the queue; or the signal's reason
   */
  enter(request: MailingRequest, signal: AbortSignal): Promise<() => void>
}

/** With a hundred messages in hand, those for few users are for 10,000. */
const mostUsersOfFew = 100

/** Users of mailings in hand, and those of one mailing beyond. */
const usersInHand = 5_000

const deadline = { ms: 60_000, createError: () => new DeferError('Other messages for many users are served first') }

export function createMailingTurns(): MailingTurns {
  const turns = createSlots(usersInHand)
  return {
    async enter({ tenantId, users: count }, signal) {
      if (count <= mostUsersOfFew) return () => {}
      await turns.acquire(signal, { group: tenantId, count, deadline })
      return () => turns.release(count)
    },
  }
}
