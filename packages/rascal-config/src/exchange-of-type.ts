import type { MessageType } from '@mono/contracts'
import { workQueueNames } from './names.js'
import { workQueues } from './work-queues.js'

const exchangesByType = Object.fromEntries(
  workQueueNames.flatMap((name) => workQueues[name].messageTypes.map((type) => [type, workQueues[name].exchange])),
) as Record<MessageType, string>

/** The exchange on which messages of this type are published. */
export function exchangeOfType(type: MessageType): string {
  return exchangesByType[type]
}
