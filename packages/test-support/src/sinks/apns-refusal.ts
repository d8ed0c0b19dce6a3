/** Why Apple does not take a notification, in its own word. */
export class ApnsRefusal extends Error {
  readonly status: number
  readonly reason: string

  /** @param details what was expected and found, for whoever reads the test's output */
  constructor(status: number, reason: string, details: string) {
    super(`${reason}: ${details}`)
    this.name = 'ApnsRefusal'
    this.status = status
    this.reason = reason
  }
}
