const unreadable = [RangeError, SyntaxError, TypeError]

/**
 * amqplib could not read what the broker sent. It decodes by recursion, so a header with some thousand levels overflows
 * the stack; the connection is lost by that, with everything that was in flight on it.
 */
export function isUnreadable(error: Error | undefined): boolean {
  return unreadable.some((type) => error instanceof type)
}
