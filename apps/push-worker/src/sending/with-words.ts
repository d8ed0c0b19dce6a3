import { describeAnswer, type HttpAnswer } from '@mono/http-client'
import type { PushVerdict } from './push-verdict.js'

/** The push service's own words are the better reason. */
export function withWords(verdict: PushVerdict, answer: Pick<HttpAnswer, 'status' | 'body'>): PushVerdict {
  if (verdict.result.kind === 'sent') return verdict
  const reason = describeAnswer(answer)
  return reason === undefined ? verdict : { ...verdict, result: { ...verdict.result, reason } }
}
