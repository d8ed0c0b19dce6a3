import type { z } from 'zod'
import { type MessageType, type PayloadByType, schemas } from './catalog.js'
import { type StoredChatMessage, storedChatMessageSchema } from './chat-message.js'
import { addresses, date, dateToText, normalizableAddresses } from './fields.js'
import { formatPath } from './format-path.js'
import { InvalidMessageError } from './invalid-message-error.js'
import { limits } from './limits.js'
import { pickFunctions } from './pick-payload.js'
import { type AdviseOnUnknown, validate } from './validate.js'

const strictSchemas = {
  'chat.message': toStrictSchema(schemas['chat.message']),
  'push.notification': toStrictSchema(schemas['push.notification']),
  'email.notification': toStrictSchema(schemas['email.notification']),
  'email.message': toStrictSchema(schemas['email.message']),
  'audit.event': toStrictSchema(schemas['audit.event']),
} satisfies Record<MessageType, z.ZodObject>

const strictStoredChatMessageSchema = toStrictSchema(storedChatMessageSchema)

const namesInAdvice = 20

/**
 * The body of a message: its payload as JSON.
 *
 * @throws InvalidMessageError if a field does not fit or is unknown, or if the body takes more than 1 MiB; with every
 * fault
 */
export function serializePayload<T extends MessageType>(type: T, payload: PayloadByType[T]): string {
  return serialize(type, strictSchemas[type], payload, (names) => {
    return `Leave out ${listNames(names)}, or send ${pickFunctions[type].name}(row).`
  })
}

/**
 * The body of a live update on the `realtime` exchange: the chat message as stored, `sequence` included.
 *
 * @throws InvalidMessageError as `serializePayload` does
 */
export function serializeStoredChatMessage(message: StoredChatMessage): string {
  return serialize('chat.message', strictStoredChatMessageSchema, message, (names) => {
    return `Leave out ${listNames(names)}.`
  })
}

function listNames(names: readonly string[]): string {
  const hidden = names.length - namesInAdvice
  const listed = names.slice(0, namesInAdvice).map((name) => formatPath([name]))
  return [...listed, ...(hidden > 0 ? [`${hidden} more`] : [])].join(', ')
}

function serialize(type: MessageType, schema: z.ZodObject, payload: unknown, adviseOnUnknown: AdviseOnUnknown): string {
  const body = JSON.stringify(validate(type, schema, payload, adviseOnUnknown))
  // A UTF-16 unit takes at most 3 bytes of UTF-8, so most bodies need no counting.
  if (body.length * 3 <= limits.bodyBytes) return body
  const bytes = Buffer.byteLength(body)
  if (bytes <= limits.bodyBytes) return body
  throw new InvalidMessageError(type, [
    { path: '', reason: `expected at most ${limits.bodyBytes} bytes of JSON, found ${bytes}` },
  ])
}

/**
 * The schema that takes a payload from TypeScript to the wire: no unknown fields, addresses that can be written to, and
 * dates become text. Turned round field by field, because zod's encode stops at the first field of the wrong shape and
 * every fault is to be reported.
 */
function toStrictSchema(schema: z.ZodObject): z.ZodObject {
  const replace = (field: unknown) =>
    field === date ? dateToText : field === addresses ? normalizableAddresses : undefined
  const fields: Record<string, z.ZodType> = {}
  for (const [key, field] of Object.entries(schema.shape)) {
    const replaced = replace(field)
    if (replaced) fields[key] = replaced
  }
  return schema.safeExtend(fields).strict()
}
