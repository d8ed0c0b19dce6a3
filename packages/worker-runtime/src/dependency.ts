import type { FailureCode } from '@mono/message-queue'

/** Something that all of a worker's deliveries need, and without which it should not take any. */
export interface Dependency {
  /** Its name in logs, in `/readyz` and as a label: `database`, `smtp`. */
  readonly name: string
  /** A delivery that was deferred with this code has missed it. Absent: its breaker is told by `openFor`. */
  readonly code?: FailureCode
  /**
   * How often it is probed while it is well, in milliseconds. Absent: not at all; then only deliveries show that it
   * cannot be used.
   */
  readonly everyMs?: number
  /** Asks the dependency itself, not by a delivery. Takes a few seconds at most. @throws Error if it cannot be used */
  probe(): Promise<void>
  /**
   * When it last did its work, by `performance.now()`; 0 if never. To be given if a delivery can be acknowledged without
   * having used it; without this every acknowledged delivery counts as one that has.
   */
  usedAt?(): number
}
