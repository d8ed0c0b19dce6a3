import { type MessageType, type PayloadByType, schemas } from './catalog.js'
import { validate } from './validate.js'

/**
 * Takes parsed JSON for a payload. Unknown fields are dropped, because a newer publisher may run beside an older
 * consumer. Records are passed on as they are, not copied.
 *
 * @throws InvalidMessageError if anything else does not fit, with every fault
 */
export function parsePayload<T extends MessageType>(type: T, json: unknown): PayloadByType[T] {
  return validate(type, schemas[type], json) as PayloadByType[T]
}
