export interface AnswerOptions {
  /** The answers are given in their order, so often. Default: once for a list, for ever for a single answer. */
  times?: number
}

/** What a sink was told to answer, by whom or what it is asked for. */
export interface AnswerScript<Answer> {
  /**
   * Replaces what was set for `key`.
   * @throws TypeError if there are no answers, or `times` is not a positive integer
   */
  set(key: string, answers: Answer | readonly Answer[], options?: AnswerOptions): void
  /** The next answer of the first key that has one left and whose turn it is; it is used up by that. */
  take(keys: readonly string[], fits?: (answer: Answer) => boolean): Answer | undefined
}

interface Remaining<Answer> {
  answers: readonly Answer[]
  given: number
  times: number
}

/** Answers are strings, numbers or plain objects, not arrays. */
export function createAnswerScript<Answer extends string | number | object>(): AnswerScript<Answer> {
  const byKey = new Map<string, Remaining<Answer>>()
  return {
    set(key, given, { times } = {}) {
      const isList = Array.isArray(given)
      const answers: readonly Answer[] = isList ? given : [given as Answer]
      const rounds = times ?? (isList ? 1 : Number.POSITIVE_INFINITY)
      if (answers.length === 0) throw new TypeError('Expected at least one answer, found an empty list')
      if (times !== undefined && !(Number.isInteger(times) && times > 0)) {
        throw new TypeError(`Expected \`times\` to be a positive integer, found ${times}`)
      }
      byKey.set(key, { answers, given: 0, times: rounds })
    },
    take(keys, fits = () => true) {
      for (const key of keys) {
        const remaining = byKey.get(key)
        if (!remaining) continue
        const answer = remaining.answers[remaining.given % remaining.answers.length] as Answer
        if (!fits(answer)) continue
        remaining.given += 1
        if (remaining.given >= remaining.answers.length * remaining.times) byKey.delete(key)
        return answer
      }
      return undefined
    },
  }
}
