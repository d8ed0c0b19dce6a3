/** The thing that the caller names is not there, or not the caller's: the two look alike from outside. */
export class NotFoundError extends Error {
  override readonly name = 'NotFoundError'
}

/** The id stands for something else already. */
export class ConflictError extends Error {
  override readonly name = 'ConflictError'
}

/** The request is not one of this site's own pages, or of nobody who has logged in. */
export class RefusedError extends Error {
  override readonly name = 'RefusedError'
  readonly status: 401 | 403

  constructor(status: 401 | 403, message: string) {
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
