import type { Consumer } from '@mono/message-queue'

/** The broker has the consumer registered, as the one that it delivers to or as one that stands by. */
export function isRegistered(state: Consumer['state'] | 'not started'): boolean {
  return state === 'consuming' || state === 'standby'
}
