import { type MessageType, type PayloadByType, schemas } from './catalog.js'
import { createFieldMender } from './create-field-mender.js'
import { validate } from './validate.js'

const mendFields = {
  'chat.message': createFieldMender(schemas['chat.message']),
  'push.notification': createFieldMender(schemas['push.notification']),
  'email.notification': createFieldMender(schemas['email.notification']),
  'email.message': createFieldMender(schemas['email.message']),
  'audit.event': createFieldMender(schemas['audit.event']),
} satisfies Record<MessageType, (json: unknown) => unknown>

/**
 * Takes parsed JSON for a payload. Unknown fields are dropped, because a newer publisher may run beside an older
 * consumer. Records are passed on as they are, not copied. What the serializers of other languages write in a field's
 * place is taken for what it means: null for a field that may be left out, and `[]` for a record that is empty.
 *
 * @throws InvalidMessageError if anything else does not fit, with every fault
 */
export function parsePayload<T extends MessageType>(type: T, json: unknown): PayloadByType[T] {
  return validate(type, schemas[type], mendFields[type](json)) as PayloadByType[T]
}
