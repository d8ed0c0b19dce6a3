// @ts-check
import { withChannel } from './queues.mjs'

/** For `runWithDeepStack`. */
export const nestedModule = import.meta.url

/**
 * Publishes a message whose headers are tables in tables.
 * @param {string} url
 * @param {{ exchange: string, routingKey: string, id: string, body: string, levels: number }} message
 */
export async function publishNested(url, { exchange, routingKey, id, body, levels }) {
  /** @type {Record<string, unknown>} */
  let headers = {}
  for (let level = 0; level < levels; level += 1) headers = { n: headers }
  await withChannel(url, async (channel) => {
    channel.publish(exchange, routingKey, Buffer.from(body), { persistent: true, messageId: id, headers })
    await channel.waitForConfirms()
  })
}
