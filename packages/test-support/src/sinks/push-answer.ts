/**
 * What goes wrong with the connection. Those marked (taken) answer with the head of a 201, so a message that is in order
 * counts as received; the others do not take it.
 *
 * - `hang`: never answers
 * - `reset`: a TCP reset after the head of the request
 * - `drop`: the connection is closed after the head of the request, in order as TCP goes, without an answer
 * - `reset-after-head`: a TCP reset after the head of the answer and a byte (taken)
 * - `goaway`: GOAWAY while this request and others are in flight; they are answered, then the session ends (taken). With
 *   HTTP/1.1: `Connection: close`
 * - `goaway-drop`: GOAWAY, and the session ends without answers to what is in flight. With HTTP/1.1: like `drop`
 * - `trickle`: a body of one byte a second, without end (taken)
 * - `huge`: a body of 10 MB (taken)
 */
export type PushTrouble = 'hang' | 'reset' | 'drop' | 'reset-after-head' | 'goaway' | 'goaway-drop' | 'trickle' | 'huge'

export interface PushReply {
  /** A message is checked, and taken if it is in order, if this is below 300. */
  status: number
  /** Sent as `Retry-After`: seconds, or a date in HTTP's form. */
  retryAfter?: number | string
  headers?: Record<string, string>
  body?: string
  /** Milliseconds between the check and the answer. Default 0. */
  delayMs?: number
}

export interface PushRedirect {
  /** Sent as `Location`. */
  redirect: string
  /** Default 302. */
  status?: 301 | 302 | 303 | 307 | 308
}

/** A number is a status: 201 is what a message in order gets anyway. */
export type PushAnswer = number | PushTrouble | PushReply | PushRedirect

/** Trouble with the connection before there is an answer. */
export type PushSilence = 'hang' | 'reset' | 'drop' | 'goaway-drop'

export function isSilence(answer: PushAnswer): answer is PushSilence {
  return answer === 'hang' || answer === 'reset' || answer === 'drop' || answer === 'goaway-drop'
}

/** An answer as it goes out, with all that is optional filled in. */
export interface PushOutcome {
  status: number
  headers: Record<string, string>
  body: string
  delayMs: number
  trouble: Exclude<PushTrouble, PushSilence> | undefined
}

export function toPushOutcome(answer: Exclude<PushAnswer, PushSilence>): PushOutcome {
  const plain = { headers: {}, body: '', delayMs: 0, trouble: undefined }
  if (typeof answer === 'number') return { ...plain, status: answer }
  if (typeof answer === 'string') return { ...plain, status: 201, trouble: answer }
  if ('redirect' in answer) return { ...plain, status: answer.status ?? 302, headers: { location: answer.redirect } }
  const { status, retryAfter, headers, body = '', delayMs = 0 } = answer
  const retry: Record<string, string> = retryAfter === undefined ? {} : { 'retry-after': String(retryAfter) }
  return { ...plain, status, headers: { ...retry, ...headers }, body, delayMs }
}
