import { type TestMessage, type TestVhost, waitFor } from '@mono/test-support'

const waitingQueue = 'email.notifications.retry.60s'

/**
 * Takes all that waits a minute for its next try, as soon as there are so many, and publishes it as the broker does when
 * the minute is over.
 *
 * @returns the messages as they waited
 */
export async function bringBack(vhost: TestVhost, { atLeast }: { atLeast: number }): Promise<TestMessage[]> {
  await waitFor(async () => (await vhost.countMessages(waitingQueue)) >= atLeast, {
    what: `at least ${atLeast} messages in ${waitingQueue}`,
    timeoutMs: 20_000,
  })
  const messages: TestMessage[] = []
  for (let next = await vhost.get(waitingQueue); next; next = await vhost.get(waitingQueue)) {
    await vhost.publish('email.notifications.retry', 'work', next.body, next.properties)
    messages.push(next)
  }
  return messages
}
