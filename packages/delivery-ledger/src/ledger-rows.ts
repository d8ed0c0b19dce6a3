/** The key of a message in a ledger. */
interface MessageKey {
  tenantId: number
  messageId: string
}

/** Tenants, messages and recipients: one entry for each row. */
export function toKeys(requests: readonly { message: MessageKey; rows: readonly { recipient: string }[] }[]) {
  return [
    requests.flatMap(({ message, rows }) => rows.map(() => message.tenantId)),
    requests.flatMap(({ message, rows }) => rows.map(() => message.messageId)),
    requests.flatMap(({ rows }) => rows.map(({ recipient }) => recipient)),
  ]
}

/** The same for one message, and the attempts. */
export function toTokens(message: MessageKey, rows: readonly { recipient: string; attempts: number }[]) {
  return [...toKeys([{ message, rows }]), rows.map(({ attempts }) => attempts)]
}

/** Tenant, message id, recipient and attempts joined by line breaks; none of them contains any. */
export function keyOf(message: { tenantId: number | string; messageId: string }, ...rest: (string | number)[]): string {
  return [message.tenantId, message.messageId, ...rest].join('\n')
}

/**
 * Maps each row's key to the index of its request. A redelivered message may be there twice: a row that the ledger
 * returns once then belongs to the first request that asked for it.
 */
export function indexRequests<Request>(
  requests: readonly Request[],
  keysOf: (request: Request) => readonly string[],
): Map<string, number> {
  const indexes = new Map<string, number>()
  requests.forEach((request, index) => {
    for (const key of keysOf(request)) if (!indexes.has(key)) indexes.set(key, index)
  })
  return indexes
}
