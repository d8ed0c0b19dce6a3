import type { ServeResult } from '@mono/delivery-ledger'
import type { DisableReason } from '../device.js'
import type { OriginReport } from './origin-report.js'

/** Says what an answer means for the delivery, for its device, and for the push service. */
export interface PushVerdict {
  result: ServeResult
  origin: OriginReport
  disable?: DisableReason | undefined
  /** The device gets nothing more for a while: what the push service said, or a time that grows each time. */
  wait?: { ms?: number }
  /** Counted against the device: it was refused while others are served. */
  countsRefusal?: boolean
}
