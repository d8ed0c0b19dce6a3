import type { HttpAnswer } from './http-messages.js'

/** A server may ask more of its clients than HTTP/2 does. With such rules nothing but HTTP/2 is spoken. */
export interface Http2Rules {
  /** Tells whether an answer proves that the server knows us. Until one does, a session has one stream at a time. */
  isProof(answer: HttpAnswer): boolean
  /**
   * Tells whether a session is of no more use after an answer: the requests under way on it go on, and the next one gets
   * another session.
   */
  endsSession(answer: HttpAnswer): boolean
  /** A server that has said nothing for so long is asked whether it is there, in milliseconds. */
  pingMs: number
  /** The time that it has to say so, in milliseconds; then its connection is dropped. */
  pongMs: number
  /** The least time between the openings of two connections to an origin, in milliseconds. */
  reopenMs: number
  /** Called once for a session, when its server says that it ends it. */
  onGoaway(goaway: Goaway): void
}

/** The frame by which a server ends a session (RFC 9113, section 6.8). */
export interface Goaway {
  origin: string
  errorCode: number
  /** Streams above it were not processed. */
  lastStreamId: number
  /** Its form is the server's own affair. Empty if there is none. */
  data: string
}
