import type { PushNotification, PushOptions } from '@mono/contracts'
import type { ServeResult } from '@mono/delivery-ledger'
import type { Logger } from '@mono/message-queue'
import type { Device } from '../device.js'

/** A way to reach devices: each `channel` of `push.devices` has one of its own, if this worker serves it. */
export interface PushChannel {
  /** Makes what is the same for every device of a message. */
  prepare(message: PushMessage): PreparedNotification
  /** The origin of the device's push service, or another text for devices that none is asked about. */
  originOf(device: Device): string
}

export interface PushMessage {
  notification: Pick<PushNotification, 'title' | 'body' | 'data'>
  tenantId: number
  messageId: string
  /** The same at every try of the message, unless its publisher did not say. */
  publishedAt: Date
  options: PushOptions
}

/** A notification in the form that a channel sends. */
export interface PreparedNotification {
  /** The result says what became of it, and no error does; a device that is gone is disabled. */
  send(device: Device, context: SendContext): Promise<ServeResult>
}

export interface SendContext {
  tenantId: number
  signal: AbortSignal
  logger: Logger
}
