export type { AuditEvent } from './audit-event.js'
export type { MessageType, PayloadByType } from './catalog.js'
export { examples, messageTypes } from './catalog.js'
export type { ChatMessage, StoredChatMessage } from './chat-message.js'
export type { EmailMessage } from './email-message.js'
export type { EmailNotification } from './email-notification.js'
export { findAddressFault } from './find-address-fault.js'
export { findIdFault } from './find-id-fault.js'
export { findPositiveIntegerFault } from './find-positive-integer-fault.js'
export type { MessageIssue } from './invalid-message-error.js'
export { InvalidMessageError } from './invalid-message-error.js'
export { limits } from './limits.js'
export { MessageQueueError } from './message-queue-error.js'
export { normalizeAddress } from './normalize-address.js'
export { parsePayload } from './parse-payload.js'
export {
  pickAuditEvent,
  pickChatMessage,
  pickEmailMessage,
  pickEmailNotification,
  pickPushNotification,
  type RowOf,
} from './pick-payload.js'
export { type PushOptions, type PushUrgency, toPushOptions } from './push-data.js'
export type { PushExtras } from './push-extras.js'
export type { PushNotification } from './push-notification.js'
export { realtimeRoutingKey } from './realtime-routing-key.js'
export { type RoutingKeyOf, routingKeysByType, typeOfRoutingKey } from './routing-keys.js'
export { serializePayload, serializeStoredChatMessage } from './serialize-payload.js'
export { toAsciiDomain } from './to-ascii-domain.js'
export { toDate } from './to-date.js'
export { toWireAddress } from './to-wire-address.js'
