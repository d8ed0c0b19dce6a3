import { setMaxListeners } from 'node:events'
import { toPushOptions } from '@mono/contracts'
import { type DeliveryLedger, type ServeResult, serveRecipients, toLedgerMessage } from '@mono/delivery-ledger'
import type { MessageContext, MessageHandler, ReceivedMessage } from '@mono/message-queue'
import type { Channel, Device } from './device.js'
import type { DeviceStore } from './device-store.js'
import type { MailingTurns } from './mailing-turns.js'
import { createOriginNames } from './origin-names.js'
import type { PushCounts } from './push-counts.js'
import type { OriginTurns } from './sending/origin-turns.js'
import type { PreparedNotification, PushChannel, SendContext } from './sending/push-channel.js'

export interface PushNotificationHandlerOptions {
  deviceStore: Pick<DeviceStore, 'findDevices'>
  ledger: DeliveryLedger
  /** Devices of a channel that is not among them fail. */
  channels: Partial<Record<Channel, PushChannel>>
  originTurns: OriginTurns
  /**
   * Devices of one message that are served at a time at each push service. Requests under way are bounded there too, so that
   * those of one that is slow do not stand in the way of the others.
   */
  concurrency: number
  mailingTurns: MailingTurns
  counts: Pick<PushCounts, 'settled'>
  /** Called when an equal message without an id was taken for the same. */
  onMerged?: (() => void) | undefined
}

const channelsByRoutingKey: Record<string, readonly Channel[]> = {
  'push.web': ['web'],
  'push.mobile': ['fcm', 'apns'],
  'push.all': ['web', 'fcm', 'apns'],
}

/**
 * Sends a notification to the devices of its recipients, each device once as far as can be told; the ledger says what
 * became of each. Recipients without a device are counted, and no fault.
 */
export function createPushNotificationHandler({
  deviceStore,
  ledger,
  channels,
  originTurns,
  concurrency,
  mailingTurns,
  counts,
  onMerged,
}: PushNotificationHandlerOptions): MessageHandler<'push.notifications'> {
  return async (message, context) => {
    // Every device that is being served listens to it.
    setMaxListeners(0, context.signal)
    const { tenantId, payload } = message
    const leave = await mailingTurns.enter({ tenantId, users: payload.recipientIds.length }, context.signal)
    try {
      await serveMessage(message, context)
    } finally {
      leave()
    }
  }

  async function serveMessage(
    message: ReceivedMessage<'push.notifications'>,
    { signal, logger, othersMayWait }: MessageContext,
  ): Promise<void> {
    const { payload, tenantId, messageId, publishedAt } = message
    const { recipientIds, tenantId: _tenant, ...fields } = payload
    const notification = {
      notification: payload,
      tenantId,
      messageId,
      publishedAt,
      options: toPushOptions(payload.data),
    }
    const { devices, usersWithout } = await deviceStore.findDevices({
      tenantId,
      messageId,
      userIds: recipientIds,
      channels: channelsOf(message),
    })
    if (usersWithout > 0) logger.info({ usersWithout }, 'Some recipients have no device')
    if (devices.length === 0) return

    const prepared = new Map<Channel, PreparedNotification | undefined>()
    for (const channel of new Set(devices.map((device) => device.channel))) {
      prepared.set(channel, channels[channel]?.prepare(notification))
    }
    const deviceById = new Map(devices.map((device) => [device.id, device]))
    const deviceOf = (id: string): Device => {
      const device = deviceById.get(id)
      if (!device) throw new Error(`Expected a device of this message, found ${id}`)
      return device
    }
    const nameOf = createOriginNames()
    const summary = await serveRecipients({
      ledger,
      message: toLedgerMessage(message, fields),
      recipients: [...deviceById.keys()],
      groupOf(recipient) {
        const device = deviceOf(recipient)
        return nameOf(device.channel, channels[device.channel]?.originOf(device) ?? 'off')
      },
      admitGroup: ({ name, size }, waiting) =>
        originTurns.enter(name, { tenantId, devices: Math.min(size, concurrency) }, waiting),
      resumeAt: message.resumeAt,
      concurrency,
      othersMayWait,
      signal,
      logger,
      serve: async ({ recipient }, serveSignal) => {
        const device = deviceOf(recipient)
        const result = await serve(device, prepared.get(device.channel), { tenantId, signal: serveSignal, logger })
        counts.settled(device.channel, result)
        return result
      },
      onMerged,
    })
    logger.debug({ ...summary }, 'Push notification served')
  }
}

async function serve(
  device: Device,
  notification: PreparedNotification | undefined,
  context: SendContext,
): Promise<ServeResult> {
  if (device.isDisabled) return { kind: 'failed', code: 'DEVICE_DISABLED' }
  if (!notification) return { kind: 'failed', code: 'CHANNEL_OFF' }
  return await notification.send(device, context)
}

function channelsOf({ routingKey }: ReceivedMessage<'push.notifications'>): readonly Channel[] {
  const channels = channelsByRoutingKey[routingKey]
  if (!channels) throw new Error(`Expected a routing key of push notifications, found ${routingKey}`)
  return channels
}
