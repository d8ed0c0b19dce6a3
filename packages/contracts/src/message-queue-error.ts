/** Every error that the client throws by itself, and that a handler throws to say how it failed. */
export abstract class MessageQueueError extends Error {
  /** Names the kind of failure; stable, unlike the message. */
  abstract readonly code: string
}
