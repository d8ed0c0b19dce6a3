/** Limits of what travels on the wire. Bytes are bytes of UTF-8. */
export const limits = {
  /** Longest id, in bytes. The shortest is 1. */
  idBytes: 128,
  /** Largest `tenantId`, 2^53−1; the smallest is 1. */
  maxTenantId: Number.MAX_SAFE_INTEGER,
  /** Longest `content` of a chat message, in bytes. */
  contentBytes: 64 * 1024,
  /** Deepest nesting of a record. The record itself is level 1; each object or array inside adds one. */
  recordDepth: 32,
  /**
   * Largest push payload as assembled, in bytes: the JSON of `{ title, body, data }`. Push services take 4,096 bytes
   * encrypted; the rest is room for what the worker adds.
   */
  pushPayloadBytes: 3_500,
  /** Most recipients of one push notification. The fewest is 1. */
  maxRecipients: 10_000,
  /** Most addresses of one mail. The fewest is 1. */
  maxAddresses: 1_000,
  /** Longest email address, in characters (RFC 5321, section 4.5.3.1.3). */
  addressLength: 254,
  /** Longest template name, in characters. The shortest is 1. */
  templateLength: 64,
  /** Largest message body, in bytes. */
  bodyBytes: 1024 * 1024,
  /** Most faults reported for one message; the check stops looking after that. */
  maxIssues: 100,
} as const
