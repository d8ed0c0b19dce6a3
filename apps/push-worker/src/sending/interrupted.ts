import type { PushVerdict } from './push-verdict.js'

/** The worker stops, or the message's time is up. */
export const interrupted: PushVerdict = {
  result: { kind: 'retry', code: 'INTERRUPTED' },
  origin: { kind: 'none' },
}
