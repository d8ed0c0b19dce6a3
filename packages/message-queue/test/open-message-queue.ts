import type { TestFixtures } from '@mono/test-support'
import { createMessageQueue, type MessageQueue, type MessageQueueOptions } from '../src/index.js'

/** A client on the test's vhost, closed after the test. */
export function openMessageQueue(
  { vhost, cleanUp }: Pick<TestFixtures, 'vhost' | 'cleanUp'>,
  options: Partial<MessageQueueOptions> = {},
): MessageQueue {
  const messageQueue = createMessageQueue({ url: vhost.url, connectionName: 'test', ...options })
  cleanUp(() => messageQueue.close())
  return messageQueue
}
