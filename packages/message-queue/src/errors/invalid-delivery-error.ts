import { MessageQueueError } from '@mono/contracts'
import type { FailureCode } from './failure-codes.js'

/** A delivery that no handler may see: it is dead-lettered at once, with this code and reason. */
export class InvalidDeliveryError extends MessageQueueError {
  override readonly name = 'InvalidDeliveryError'
  readonly code: FailureCode

  constructor(code: FailureCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}
