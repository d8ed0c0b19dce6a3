/**
 * amqplib could not read a frame that the broker sent, and has left the connection with everything that was in flight on
 * it. It decodes by recursion, so a header with some thousand levels overflows the stack.
 */
export class UnreadableFrameError extends Error {
  override readonly name = 'UnreadableFrameError'

  constructor(cause: Error) {
    super(`A frame of the broker cannot be read, such as headers nested thousands of levels deep: ${cause.message}`, {
      cause,
    })
  }
}

const thrownByDecoding = [RangeError, SyntaxError, TypeError]

/** Names the reason for which amqplib has left a connection. */
export function toConnectionError(error: Error): Error {
  return thrownByDecoding.some((type) => error instanceof type) ? new UnreadableFrameError(error) : error
}
