import { maskAnswer } from './mask-secrets.js'

/** In UTF-16 units. */
const maxLength = 300

/** No more of an answer is looked at. */
const maxLooked = 2_000

/** Longer words are no mail addresses. */
const maxAddressLength = 320

/**
 * What a far end has said, as it may stand in a ledger, a log line and a dead letter: its first line that says something,
 * masked, never long, without control characters and lone surrogates, which PostgreSQL or a terminal would not take.
 * What went through it once stays as it is.
 */
export function toReason(answer: string): string {
  const [line = ''] = /\S[^\n\r\v\f\u0085\u2028\u2029]*/u.exec(answer) ?? []
  const looked = line.length > maxLooked ? cutAtWord(line.slice(0, maxLooked)) : line
  const plain = looked
    .replaceAll('\t', ' ')
    .replaceAll(/\p{Control}/gu, '')
    .replaceAll(/\p{Surrogate}/gu, '\ufffd')
  return maskAnswer(plain)
    .slice(0, maxLength)
    .replace(/\p{Surrogate}$/u, '')
    .trim()
}

/** Without the beginning of a word that may be an address, which could not be told from another word. */
function cutAtWord(text: string): string {
  const [last = ''] = /\S*$/.exec(text) ?? []
  return last.length > maxAddressLength ? text : text.slice(0, text.length - last.length)
}
