import { toReason } from '@mono/worker-runtime'
import type { HttpAnswer } from './http-messages.js'

/** No more of a body is read. */
const maxBytes = 4_096

/** Services write a sentence under these, each with the object around it. */
const sentenceOf = (json: unknown): unknown => {
  if (typeof json !== 'object' || json === null) return undefined
  const { error, message, reason, detail, error_description: description } = json as Record<string, unknown>
  const candidates = [message, reason, detail, description, typeof error === 'string' ? error : sentenceOf(error)]
  return candidates.find((each) => typeof each === 'string' && each.trim() !== '')
}

/**
 * What a server says in the body of an answer, for people: the sentence of a JSON object, the title of a page, else
 * the first line. Undefined if it says nothing.
 */
export function describeAnswer({ status, body }: Pick<HttpAnswer, 'status' | 'body'>): string | undefined {
  const words = toReason(findWords(body.subarray(0, maxBytes).toString('utf8')))
  return words === '' ? undefined : `HTTP ${status}: ${words}`
}

function findWords(text: string): string {
  const [, title] = /<title[^<>]*>([^<]+)</i.exec(text) ?? []
  if (title !== undefined) return title
  if (!text.trimStart().startsWith('{')) return text
  try {
    return String(sentenceOf(JSON.parse(text)) ?? text)
  } catch {
    return text
  }
}
