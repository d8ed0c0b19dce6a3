import { Duplex } from 'node:stream'

/**
 * Puts what is published or acknowledged in one turn of the event loop into few packets. amqplib hands each frame to the
 * socket by itself, which costs a system call each (measured: half of the publishing thread's time); and Nagle's
 * algorithm, which would gather them, makes each message above 2 KiB wait about 40 ms for the peer's delayed
 * acknowledgement.
 *
 * The socket is not in amqplib's types; without one nothing is gathered.
 */
export class WriteBatch {
  readonly #socket: Duplex | undefined
  #corked = false

  /** @param model a connection of either of amqplib's APIs */
  constructor(model: { connection: object }) {
    const { stream } = model.connection as { stream?: unknown }
    this.#socket = stream instanceof Duplex ? stream : undefined
  }

  /** To be called before publishing or acknowledging. */
  begin(): void {
    if (this.#corked || !this.#socket) return
    this.#corked = true
    this.#socket.cork()
    // amqplib moves frames to the socket in a `setImmediate` that it asks for in the next tick. This one must come right
    // after: a turn later the broker has run dry, a turn earlier nothing is gathered.
    process.nextTick(() => process.nextTick(() => setImmediate(() => this.#end())))
  }

  #end(): void {
    this.#corked = false
    this.#socket?.uncork()
  }
}
