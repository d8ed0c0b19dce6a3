import { inspect } from 'node:util'
import { settleWithin, sleep } from '@mono/waiting'

export type NonFalsy<T> = Exclude<T, false | 0 | 0n | '' | null | undefined>

export interface WaitForOptions {
  /** What is awaited, as it reads after "waiting for". */
  what: string
  /** How long to go on asking, in milliseconds. Default 30000: a busy machine is no failure. */
  timeoutMs?: number
  /** Pause between two askings, in milliseconds. Default 50. */
  intervalMs?: number
}

/**
 * Asks until the condition gives something truthy, and returns that. A condition that throws counts as not yet.
 * @throws Error when the time is up, or when one asking takes longer than the time: it says what was awaited and
 * what the condition gave last; an error thrown last is its `cause`.
 */
export async function waitFor<T>(condition: () => T | Promise<T>, options: WaitForOptions): Promise<NonFalsy<T>> {
  const { what, timeoutMs = 30_000, intervalMs = 50 } = options
  const deadline = Date.now() + timeoutMs
  let last: { value?: T; error?: unknown } | undefined
  for (;;) {
    const answer = await attempt(condition, Math.max(1, deadline - Date.now()))
    if (answer === 'no answer') throw timeoutError({ what, timeoutMs, last, unanswered: true })
    if (answer.value) return answer.value as NonFalsy<T>
    last = answer
    if (Date.now() + intervalMs >= deadline) throw timeoutError({ what, timeoutMs, last, unanswered: false })
    await sleep(intervalMs)
  }
}

async function attempt<T>(
  condition: () => T | Promise<T>,
  withinMs: number,
): Promise<{ value?: T; error?: unknown } | 'no answer'> {
  const unanswered = new Error('no answer')
  try {
    const asked = (async () => await condition())()
    return { value: await settleWithin(asked, { ms: withinMs, createError: () => unanswered }) }
  } catch (error) {
    return error === unanswered ? 'no answer' : { error }
  }
}

function timeoutError(outcome: {
  what: string
  timeoutMs: number
  last: { value?: unknown; error?: unknown } | undefined
  unanswered: boolean
}): Error {
  const { what, timeoutMs, last, unanswered } = outcome
  const message = `Timed out after ${timeoutMs} ms waiting for ${what}; ${describeLast(last)}`
  return new Error(
    unanswered ? `${message}; the condition itself was still pending` : message,
    last && 'error' in last ? { cause: last.error } : {},
  )
}

function describeLast(last: { value?: unknown; error?: unknown } | undefined): string {
  if (!last) return 'the condition never answered'
  if ('error' in last) return `last error: ${last.error instanceof Error ? last.error.message : inspect(last.error)}`
  return `last value: ${inspect(last.value, { depth: 4, breakLength: 120 }).slice(0, 1000)}`
}
