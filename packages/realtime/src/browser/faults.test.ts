import fc from 'fast-check'
import { expect, test, vi } from 'vitest'
import { openPage, seconds } from '../../test/support/open-page.js'
import { RealtimeError } from './realtime-error.js'

const conversation = fc.constantFrom('a', 'b', 'c')
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('send' as const), conversation, isLost: fc.boolean() }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.integer({ min: 0, max: 3_000 }) }) },
  fc.record({ kind: fc.constant('repeat' as const), conversation, sequence: fc.integer({ min: 1, max: 20 }) }),
  fc.record({ kind: fc.constant('lose' as const) }),
  fc.record({ kind: fc.constant('away' as const), isAway: fc.boolean() }),
  fc.record({
    kind: fc.constant('fail' as const),
    how: fc.constantFrom('error' as const, 'hang' as const, 'rubbish' as const),
  }),
  fc.record({ kind: fc.constant('cut' as const), atMost: fc.integer({ min: 1, max: 5 }) }),
  fc.record({ kind: fc.constant('renew' as const) }),
)
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

const failures = {
  error: new Error('HTTP 500'),
  hang: 'hang',
  rubbish: [{ conversationId: 'z', messages: [] }],
} as const

function createRun() {
  const page = openPage()
  const { application, broker } = page
  const steps = {
    send({ conversation: id, isLost }: { conversation: string; isLost: boolean }) {
      const sequence = (application.stored.get(id) ?? 0) + 1
      application.stored.set(id, sequence)
      if (!isLost) broker.broadcast(id, sequence)
    },
    wait: async ({ ms }: { ms: number }) => void (await vi.advanceTimersByTimeAsync(ms)),
    repeat({ conversation: id, sequence }: { conversation: string; sequence: number }) {
      if (sequence <= (application.stored.get(id) ?? 0)) broker.broadcast(id, sequence)
    },
    lose: () => broker.open.at(-1)?.lose(),
    away({ isAway }: { isAway: boolean }) {
      broker.failure = isAway ? new RealtimeError('CONNECTION_FAILED', 'away') : undefined
    },
    fail: ({ how }: { how: keyof typeof failures }) => void application.answers.push(failures[how]),
    cut({ atMost }: { atMost: number }) {
      application.atMost = atMost
    },
    renew: () => seconds(700),
  }
  const take = (one: Step) => (steps[one.kind] as (data: Step) => unknown)(one)
  const end = async () => {
    broker.failure = undefined
    application.answers.length = 0
    await seconds(120)
  }
  return { ...page, take, end }
}

test('whatever is lost, repeated, cut, refused or late, each message comes once and in order', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 60 }), async (sequence) => {
      const { application, open, client, take, end } = createRun()
      const pages = ['a', 'b', 'c'].map((id) => ({ id, ...open(id) }))
      for (const one of sequence) await take(one)
      await end()
      client.close()
      for (const { id, heard, states } of pages) {
        const sent = application.stored.get(id) ?? 0
        expect(heard).toEqual(Array.from({ length: sent }, (_, index) => index + 1))
        expect(states.at(-1)).toBe('live')
      }
    }),
    { numRuns: 150 },
  )
})
