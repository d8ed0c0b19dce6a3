/** Why a push service does not take a message; the reason is the answer's body. */
export class PushRefusal extends Error {
  readonly status: number

  constructor(status: number, reason: string) {
    super(reason)
    this.name = 'PushRefusal'
    this.status = status
  }
}
