/** A text that is no broker URL. The message never quotes the text, which may hold a password. */
export class BrokerUrlError extends RangeError {
  override readonly name = 'BrokerUrlError'
  /** What was found instead, as it reads after "found". */
  readonly found: string

  constructor(found: string, { subject }: { subject: string }) {
    super(`${subject}: expected amqp://user:password@host:port/vhost or amqps://…, found ${found}`)
    this.found = found
  }
}
