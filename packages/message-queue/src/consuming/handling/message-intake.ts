import type { Logger } from '../../logger.js'
import type { MessageHandler } from '../reading/received-message.js'
import type { Handled, Held, Intake, IntakeOptions } from './intake.js'
import { runHandler } from './run-handler.js'

/** Hands each message to the handler as it comes: as many at a time as the prefetch admits. */
export class MessageIntake implements Intake {
  readonly size = 1
  readonly #handler: MessageHandler
  readonly #logger: Logger
  readonly #options: IntakeOptions

  constructor(handler: MessageHandler, logger: Logger, options: IntakeOptions) {
    this.#handler = handler
    this.#logger = logger
    this.#options = options
  }

  take(held: Held): void {
    void this.#handle(held)
  }

  flush(): void {}

  discard(): Held[] {
    return []
  }

  async #handle(held: Held): Promise<void> {
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

  async #call({ message }: Held, signal: AbortSignal): Promise<void> {
    const { messageId, type: messageType, tenantId, attempt } = message
    const logger = this.#logger.child({ messageId, messageType, tenantId, attempt })
    await this.#handler(message, { signal, logger, othersMayWait: this.#options.othersMayWait })
  }
}
