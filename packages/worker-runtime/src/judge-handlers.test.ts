import { DeferError, GiveWayError, type ReceivedMessage } from '@mono/message-queue'
import { createRecordingLogger } from '@mono/test-support'
import { expect, test, vi } from 'vitest'
import { FailureJudge } from './failure-judge.js'
import { judgeHandlers } from './judge-handlers.js'

const messagesOf = (prefix: string, length: number) =>
  Array.from({ length }, (_, index) => ({ tenantId: index + 1, messageId: `${prefix} ${index}` })) as ReceivedMessage[]

test('of a batch that fails as a whole again, the message that was excused before is not excused once more', async () => {
  const judge = new FailureJudge({ findFault: async () => undefined, onNobodysFault: vi.fn() })
  const handlers = judgeHandlers({ judge, onDeferral: vi.fn() })
  const [poison] = messagesOf('poison', 1) as [ReceivedMessage]
  const handle = handlers.batch<'audit.events'>(async (messages) => {
    if (messages.includes(poison as never)) throw new TypeError('no changes')
    return undefined
  })
  const context = { signal: new AbortController().signal, logger: createRecordingLogger(), othersMayWait: () => false }
  const namesOf = (failures: ReadonlyMap<ReceivedMessage, unknown> | undefined) =>
    new Map([...(failures ?? [])].map(([{ messageId }, failure]) => [messageId, (failure as Error).name]))

  const first = await handle([poison, ...messagesOf('first', 5)] as never, context)
  expect(new Set(namesOf(first as never).values())).toEqual(new Set(['DeferError']))
  await handle(messagesOf('good', 1) as never, context)
  const second = namesOf((await handle([poison, ...messagesOf('second', 5)] as never, context)) as never)
  expect(second.get('poison 0')).toBe('RetryableError')
  expect(second.get('second 0')).toBe('DeferError')
})

test('the reason of a deferral is told, be it of a message, of some of a batch or of the whole', async () => {
  const judge = new FailureJudge({ findFault: async () => undefined, onNobodysFault: vi.fn() })
  const onDeferral = vi.fn()
  const handlers = judgeHandlers({ judge, onDeferral })
  const error = new DeferError('The database is not available (53100)')
  const [message] = messagesOf('a', 1) as [ReceivedMessage]
  const context = { signal: new AbortController().signal, logger: createRecordingLogger(), othersMayWait: () => false }
  const rejecting = () => Promise.reject(error)
  await expect(handlers.message<'audit.events'>(rejecting)(message as never, context)).rejects.toBe(error)
  await expect(handlers.batch<'audit.events'>(rejecting)([message] as never, context)).rejects.toBe(error)
  await handlers.batch<'audit.events'>(async (messages) => new Map(messages.map((each) => [each, error])))(
    [message] as never,
    context,
  )
  expect(onDeferral.mock.calls).toEqual([[error], [error], [error]])
})

test('a message that gives way is no deferral, and has shown that work is done', async () => {
  const judge = new FailureJudge({ findFault: async () => undefined, onNobodysFault: vi.fn() })
  const succeed = vi.spyOn(judge, 'succeed')
  const onDeferral = vi.fn()
  const error = new GiveWayError('others go first', { resumeAt: '100', hasProgressed: true })
  const [message] = messagesOf('a', 1) as [ReceivedMessage]
  const context = { signal: new AbortController().signal, logger: createRecordingLogger(), othersMayWait: () => true }
  const handler = judgeHandlers({ judge, onDeferral }).message<'email.notifications'>(() => Promise.reject(error))
  await expect(handler(message as never, context)).rejects.toBe(error)
  expect(onDeferral).not.toHaveBeenCalled()
  expect(succeed).toHaveBeenCalledExactlyOnceWith(message)
})
