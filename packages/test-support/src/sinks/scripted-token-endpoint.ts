import type { IncomingHttpHeaders } from 'node:http'
import { type AnswerOptions, createAnswerScript } from './answer-script.js'
import { mergeOutcome, toFcmOutcome } from './fcm-answer.js'
import { isSilence, type PushAnswer, type PushReply, type PushSilence } from './push-answer.js'
import type { PushExchange } from './push-exchange.js'

/** A request for an access token, in order or not. */
export interface TokenAttempt {
  /** The form. */
  body: string
  /** Names in lower case. */
  headers: IncomingHttpHeaders
  /** The status of the answer, or what was done instead of answering. */
  answer: number | PushSilence
  /** The reason of a refusal. */
  reason: string | undefined
  /** Milliseconds since 1970. */
  at: number
}

export interface ScriptedTokenEndpoint {
  /** Every request, in order. Grows; do not change it. */
  attempts: readonly TokenAttempt[]
  serve(exchange: PushExchange, body: Buffer, signal: AbortSignal): Promise<void>
  /** Sets what is answered. A status below 300 without a body is for requests that are in order. */
  answer(answers: PushAnswer | readonly PushAnswer[], options?: AnswerOptions): void
}

const scriptKey = 'all'

/** A token endpoint that answers as it deserves or as it was told. `grant` decides what a request deserves. */
export function createScriptedTokenEndpoint(
  grant: (body: string, exchange: PushExchange) => { answer: PushReply; reason: string | undefined },
): ScriptedTokenEndpoint {
  const script = createAnswerScript<PushAnswer>()
  const attempts: TokenAttempt[] = []
  return {
    attempts,
    async serve(exchange, body, signal) {
      const answer = script.take([scriptKey]) ?? 200
      const form = body.toString()
      const record = (outcome: Pick<TokenAttempt, 'answer' | 'reason'>) =>
        attempts.push({ body: form, headers: exchange.headers, ...outcome, at: Date.now() })
      if (isSilence(answer)) {
        record({ answer, reason: undefined })
        return exchange.fallSilent(answer, signal)
      }
      const scripted = toFcmOutcome(answer)
      const isFixed = scripted.status >= 300 || scripted.body !== ''
      const granted = isFixed ? undefined : grant(form, exchange)
      const outcome = granted ? mergeOutcome(granted.answer, scripted) : scripted
      record({ answer: outcome.status, reason: granted?.reason })
      await exchange.answer(outcome, signal)
    },
    answer: (answers, options) => script.set(scriptKey, answers, options),
  }
}
