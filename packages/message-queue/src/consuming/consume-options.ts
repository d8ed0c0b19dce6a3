import type { TrialJournal } from './scheduling/trial-journal.js'
import type { SettledEvent } from './settling/settled-event.js'

export interface ConsumeOptions {
  /**
   * How many deliveries the broker hands out before the first is settled. Default 100; for batches, twice their size.
   * The first of all is taken by itself and does not count. Of large messages fewer are taken, 8 MiB of bodies about. A queue that keeps its order has a constant prefetch of 500,
   * whatever is said here.
   */
  prefetch?: number
  /**
   * After this many milliseconds a handler's signal is aborted and its message is retried, `HANDLER_TIMEOUT`.
   * Default 5 minutes; keep it below the broker's consumer timeout (30 minutes), which closes the channel. Of a queue that keeps its order a third of that at most.
   */
  handlerTimeoutMs?: number
  /**
   * How often an idle consumer looks, in milliseconds, whether messages wait that the broker does not deliver. Seen twice
   * in a row, it registers again. Default 15,000.
   */
  stallCheckMs?: number
  /**
   * The broker's `consumer_timeout`, in milliseconds, of a queue that keeps its order: deliveries that were in hand for a
   * third of it are given back. Default 30 minutes, which is the broker's.
   */
  consumerTimeoutMs?: number
  /**
   * For a queue that keeps its order: tries are written down here of a message that was in hand at three deaths, so that
   * the one that ends its process is found. Without it one message is taken at a time then.
   */
  journal?: TrialJournal
  /** Called once for every delivery, after it was settled, and for each try of one that is kept (see `isInHand`). */
  onSettled?(event: SettledEvent): void
}

export interface ConsumeBatchesOptions extends ConsumeOptions {
  /** Start a batch at this many messages. Default 500. */
  size?: number
  /** Start a smaller batch when its first message has waited this long, in milliseconds. Default 200. */
  maxWaitMs?: number
}

export interface ResolvedConsumeOptions {
  prefetch: number
  handlerTimeoutMs: number
  stallCheckMs: number
  consumerTimeoutMs: number
  journal: TrialJournal | undefined
  onSettled(event: SettledEvent): void
}

export interface ResolvedConsumeBatchesOptions extends ResolvedConsumeOptions {
  size: number
  maxWaitMs: number
}

const minute = 60_000
const maxPrefetch = 65_535

/** @throws RangeError naming the option, what was found and what is allowed */
export function resolveConsumeOptions(options: ConsumeOptions): ResolvedConsumeOptions {
  const defaults = {
    prefetch: 100,
    handlerTimeoutMs: 5 * minute,
    stallCheckMs: 15_000,
    consumerTimeoutMs: 30 * minute,
    journal: undefined,
    onSettled() {},
  }
  const resolved = { ...defaults, ...withoutUndefined(options) }
  assertInteger('prefetch', resolved.prefetch, 1, maxPrefetch)
  assertInteger('handlerTimeoutMs', resolved.handlerTimeoutMs, 1, 60 * minute)
  assertInteger('stallCheckMs', resolved.stallCheckMs, 10, 60 * minute)
  assertInteger('consumerTimeoutMs', resolved.consumerTimeoutMs, 1_000, 24 * 60 * minute)
  return resolved
}

/** @throws RangeError naming the option, what was found and what is allowed */
export function resolveConsumeBatchesOptions(options: ConsumeBatchesOptions): ResolvedConsumeBatchesOptions {
  const { size, maxWaitMs, ...rest } = { size: 500, maxWaitMs: 200, ...withoutUndefined(options) }
  assertInteger('size', size, 1, maxPrefetch)
  assertInteger('maxWaitMs', maxWaitMs, 0, minute)
  const resolved = { size, maxWaitMs, ...resolveConsumeOptions({ prefetch: Math.min(2 * size, maxPrefetch), ...rest }) }
  // A batch larger than the prefetch would never be full, and every one would wait its whole time.
  assertInteger('prefetch', resolved.prefetch, size, maxPrefetch)
  return resolved
}

/** So that an explicit `undefined` does not erase a default. */
function withoutUndefined<T extends object>(options: T): T {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as T
}

function assertInteger(name: string, value: number, min: number, max: number): void {
  if (Number.isInteger(value) && value >= min && value <= max) return
  throw new RangeError(`${name}: expected an integer from ${min} to ${max}, found ${value}`)
}
