export interface RequestIssue {
  /** The field; '' for the whole body. */
  path: string
  reason: string
}

/** The request does not fit; the same one again fails again. */
export class InvalidRequestError extends Error {
  override readonly name = 'InvalidRequestError'
  readonly issues: RequestIssue[]

  constructor(issues: RequestIssue[]) {
    super('The request does not fit')
    this.issues = issues
  }
}
