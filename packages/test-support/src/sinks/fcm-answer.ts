import { type PushAnswer, type PushOutcome, type PushReply, type PushSilence, toPushOutcome } from './push-answer.js'

export interface FcmReply extends PushReply {
  /** The message is checked and delivered all the same, whatever the status. Default false. */
  delivers?: boolean
}

/** A number is a status: 200 is what a request in order gets anyway. */
export type FcmAnswer = PushAnswer | FcmReply

/** Tells whether the message is to be checked, and delivered if it is in order. */
export function deliversMessage(answer: Exclude<FcmAnswer, PushSilence>): boolean {
  if (typeof answer === 'object' && 'delivers' in answer) return answer.delivers === true
  return toFcmOutcome(answer).status < 300
}

/** Trouble after the head of the answer comes with the status of success, which is 200 at Google's. */
export function toFcmOutcome(answer: Exclude<FcmAnswer, PushSilence>): PushOutcome {
  const outcome = toPushOutcome(answer)
  return typeof answer === 'string' ? { ...outcome, status: 200 } : outcome
}

/** Puts the body, the headers, the delay and the trouble that were scripted in place of those that a request deserves. */
export function mergeOutcome(deserved: PushReply, { headers, body, delayMs, trouble }: PushOutcome): PushOutcome {
  const outcome = toPushOutcome(deserved)
  return { ...outcome, headers: { ...outcome.headers, ...headers }, body: body || outcome.body, delayMs, trouble }
}
