import { type BatchHandler, DeferError, GiveWayError, type MessageHandler, RetryableError } from '@mono/message-queue'
import type { WorkQueueName } from '@mono/rascal-config'
import type { FailureJudge } from './failure-judge.js'

export interface JudgeHandlersOptions {
  judge: FailureJudge
  /** Told of each deferral, before it is settled. */
  onDeferral(error: DeferError): void
}

/** Handlers whose failures are judged: what no message is at fault for is deferred. */
export interface JudgedHandlers {
  message<Q extends WorkQueueName>(handler: MessageHandler<Q>): MessageHandler<Q>
  batch<Q extends WorkQueueName>(handler: BatchHandler<Q>): BatchHandler<Q>
}

export function judgeHandlers({ judge, onDeferral }: JudgeHandlersOptions): JudgedHandlers {
  const note = (failure: unknown) => {
    if (failure instanceof DeferError) onDeferral(failure)
    return failure
  }
  return {
    message: (handler) => async (message, context) => {
      try {
        await handler(message, context)
      } catch (thrown) {
        if (thrown instanceof GiveWayError) judge.succeed(message)
        throw note(context.signal.aborted ? thrown : await judge.judge(message, thrown))
      }
      judge.succeed(message)
    },
    batch: (handler) => async (messages, context) => {
      const failures = await Promise.resolve(handler(messages, context)).catch(async (thrown: unknown) => {
        if (context.signal.aborted) throw thrown
        const judged = await Promise.all(messages.map((message) => judge.judge(message, thrown)))
        const isExcused = judged.some((failure) => failure !== thrown)
        if (!isExcused) throw note(thrown)
        // One that is not excused again may be the cause. That is not certain enough to give it up at once.
        const blamed = new RetryableError('The batch that the message was in fails each time', { cause: thrown })
        return new Map(messages.map((message, index) => [message, judged[index] === thrown ? blamed : judged[index]]))
      })
      const done = messages.filter((message) => !failures?.has(message))
      for (const message of done) judge.succeed(message)
      if (failures === undefined || failures.size === 0) return failures
      // A message that fails beside others that are done fails for itself.
      const mayBeJudged = done.length === 0 && !context.signal.aborted
      const entries = [...failures].map(async ([message, thrown]) => {
        return [message, note(mayBeJudged ? await judge.judge(message, thrown) : thrown)] as const
      })
      return new Map(await Promise.all(entries))
    },
  }
}
