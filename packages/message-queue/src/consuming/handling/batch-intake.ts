import type { Logger } from '../../logger.js'
import type { BatchHandler, ReceivedMessage } from '../reading/received-message.js'
import type { Handled, Held, Intake, IntakeOptions } from './intake.js'
import { runHandler } from './run-handler.js'

export interface BatchSize {
  /** A batch starts when it has this many messages. */
  size: number
  /** Or when its first message has waited this long, in milliseconds. */
  maxWaitMs: number
}

/** A batch with this many bytes of bodies is full, so that the next one arrives while it is handled. */
const fullBytes = 4 * 1024 * 1024

/** Collects messages into batches. While one batch is being handled the next one fills, as far as the prefetch admits. */
export class BatchIntake implements Intake {
  readonly size: number
  readonly #handler: BatchHandler
  readonly #logger: Logger
  readonly #batchSize: BatchSize
  readonly #options: IntakeOptions
  readonly #waiting: Held[] = []
  #waitingBytes = 0
  #timer: NodeJS.Timeout | undefined

  constructor(handler: BatchHandler, logger: Logger, batchSize: BatchSize, options: IntakeOptions) {
    this.#handler = handler
    this.#logger = logger
    this.#batchSize = batchSize
    this.size = batchSize.size
    this.#options = options
  }

  take(held: Held): void {
    this.#waiting.push(held)
    this.#waitingBytes += held.delivery.message.content.length
    if (this.#waiting.length >= this.#batchSize.size || this.#waitingBytes >= fullBytes) this.flush()
    else this.#timer ??= setTimeout(() => this.flush(), this.#batchSize.maxWaitMs)
  }

  flush(): void {
    const batch = this.discard()
    if (batch.length > 0) void this.#handle(batch)
  }

  discard(): Held[] {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#waitingBytes = 0
    return this.#waiting.splice(0)
  }

  async #handle(batch: Held[]): Promise<void> {
    const startedAt = performance.now()
    const { failures, isShared } = await this.#findFailures(batch.map(({ message }) => message))
    const handlerMs = performance.now() - startedAt
    const succeeded: Handled = { handlerMs }
    for (const held of batch) {
      const failed = failures.has(held.message)
      const handled = failed ? { handlerMs, failure: { thrown: failures.get(held.message), isShared } } : succeeded
      this.#options.onHandled(held, handled)
    }
  }

  async #findFailures(messages: ReceivedMessage[]): Promise<Failures> {
    const { handlerTimeoutMs: timeoutMs, signal } = this.#options
    try {
      const failures = await runHandler(
        async (handlerSignal) => await this.#handler(messages, { signal: handlerSignal, logger: this.#logger }),
        { timeoutMs, signal },
      )
      if (failures === undefined) return { failures: new Map(), isShared: false }
      assertOfBatch(failures, messages)
      return { failures, isShared: false }
    } catch (thrown) {
      return { failures: new Map(messages.map((message) => [message, thrown])), isShared: true }
    }
  }
}

interface Failures {
  failures: ReadonlyMap<ReceivedMessage, unknown>
  isShared: boolean
}

/** A failure under any other key would be overlooked, and the message that failed acknowledged. */
function assertOfBatch<T>(failures: ReadonlyMap<T, unknown>, messages: readonly T[]): void {
  const batch = new Set(messages)
  for (const message of failures.keys()) {
    if (!batch.has(message)) throw new TypeError('Expected failures by messages of the batch, found another key.')
  }
}
