import type { WorkQueueName } from '@mono/rascal-config'
import type { Logger } from '../logger.js'
import type { Handled, Held, Intake, IntakeOptions } from './intake.js'
import type { MessageHandler } from './received-message.js'
import { runHandler } from './run-handler.js'

/** Hands each message to the handler as it comes: as many at a time as the prefetch admits. */
export class MessageIntake<Q extends WorkQueueName> implements Intake<Q> {
  readonly #handler: MessageHandler<Q>
  readonly #logger: Logger
  readonly #options: IntakeOptions<Q>

  constructor(handler: MessageHandler<Q>, logger: Logger, options: IntakeOptions<Q>) {
    this.#handler = handler
    this.#logger = logger
    this.#options = options
  }

  take(held: Held<Q>): void {
    void this.#handle(held)
  }

  flush(): void {}

  discard(): Held<Q>[] {
    return []
  }

  async #handle(held: Held<Q>): Promise<void> {
    const startedAt = performance.now()
    const handled: Handled = { handlerMs: 0 }
    try {
      const { handlerTimeoutMs: timeoutMs, signal } = this.#options
      await runHandler((handlerSignal) => this.#call(held, handlerSignal), { timeoutMs, signal })
    } catch (thrown) {
      handled.failure = { thrown }
    }
    handled.handlerMs = performance.now() - startedAt
    this.#options.onHandled(held, handled)
  }

  async #call({ message }: Held<Q>, signal: AbortSignal): Promise<void> {
    const { messageId, type: messageType, tenantId, attempt } = message
    const logger = this.#logger.child({ messageId, messageType, tenantId, attempt })
    await this.#handler(message, { signal, logger })
  }
}
