import type { HttpAnswer } from './http-messages.js'

/** What a server asks of its clients beyond HTTP/2 itself. With such rules nothing but HTTP/2 is spoken. */
export interface Http2Rules {
  /** Whether an answer proves that the server knows us. Until one does, a session has one stream at a time. */
  isProof(answer: HttpAnswer): boolean
  /** Whether a session is of no more use after an answer. What is under way goes on; the next request gets another. */
  endsSession(answer: HttpAnswer): boolean
  /** When nothing has come for so long, the server is asked whether it is there. Milliseconds. */
  pingMs: number
  /** How long it may take to say so, in milliseconds. Then its connection is dropped. */
  pongMs: number
  /** How long after one connection to an origin the next is opened at the soonest, in milliseconds. */
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
  /** For people and programs; its form is the server's own affair. Empty if there is none. */
  data: string
}
