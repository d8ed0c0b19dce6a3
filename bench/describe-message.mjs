// @ts-check

/**
 * A message without what differs from one to the next: ids and times, of which the length counts.
 * @param {import('amqplib').Message} message
 */
export function describeMessage({ fields: { exchange, routingKey }, properties, content }) {
  const { timestamp, messageId, headers, ...rest } = properties
  const lengths = [messageId, String(timestamp), headers?.['x-published-at'], content].map((value) => value.length)
  const others = { ...headers, 'x-published-at': undefined }
  return JSON.stringify({ exchange, routingKey, lengths, ...rest, headers: others })
}
