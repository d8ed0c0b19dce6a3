/** The request is refused, for a reason that the caller may know. */
export class RefusedError extends Error {
  override readonly name = 'RefusedError'
  /** 404 is for a thing that is not there and for one that is not the caller's: the two look alike from outside. */
  readonly status: 401 | 403 | 404 | 409

  constructor(status: RefusedError['status'], message: string) {
    super(message)
    this.status = status
  }
}

/** The database cannot be asked. `unknown`: it may have committed; the same request with the same ids is safe. */
export class UnavailableError extends Error {
  override readonly name = 'UnavailableError'
  readonly accepted: false | 'unknown'

  constructor({ accepted }: { accepted: false | 'unknown' }, options: ErrorOptions) {
    super('The database cannot be used at present', options)
    this.accepted = accepted
  }
}
