import { toReason } from '@mono/worker-runtime'
import type { SmtpErrorLike } from './classify-smtp-error.js'

/** The first line of a server's answer, taken apart. */
export interface SmtpReply {
  /** `550`. */
  basic: number
  /** `5.1.1` (RFC 3463), if the server tells one. */
  enhanced: string | undefined
  /** For people and logs: without addresses, links and what may be a token, and never long. */
  words: string
  /** The pause that it names, in milliseconds. */
  pauseMs: number | undefined
}

const maxWords = 200

/** @returns undefined if the error is no answer of a server */
export function toSmtpReply({ response, responseCode }: SmtpErrorLike): SmtpReply | undefined {
  if (responseCode === undefined) return undefined
  const [line = ''] = (response ?? '').split(/\r?\n/, 1)
  const [, enhanced, text = ''] = /^\d{3}[ -]?(?:([245]\.\d{1,3}\.\d{1,3})\b)?(.*)/.exec(line) ?? []
  const words = toReason(text).slice(0, maxWords)
  return { basic: responseCode, enhanced, words, pauseMs: findPause(text) }
}

const longestPauseMs = 15 * 60_000
const unitMs: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000 }

/** `Try again in 60 seconds`, `retry after 5 minutes` */
function findPause(text: string): number | undefined {
  const [, digits, unit = ''] =
    /\b(?:in|after|for)\s+(\d{1,5})\s*(s|m|h)(?:ecs?|econds?|ins?|inutes?|ours?)?\b/i.exec(text) ?? []
  if (digits === undefined) return undefined
  return Math.min(longestPauseMs, Number(digits) * (unitMs[unit.toLowerCase()] ?? 0))
}
