/** The other side has closed the connection instead of answering, by which a broker may refuse what was asked. */
export class LinkClosedError extends Error {
  override readonly name = 'LinkClosedError'

  constructor() {
    super('the connection was closed instead of an answer')
  }
}
