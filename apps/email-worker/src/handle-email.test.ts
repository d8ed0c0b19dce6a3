import { fileURLToPath } from 'node:url'
import type { DeliveryLedger } from '@mono/delivery-ledger'
import { DeferError } from '@mono/message-queue'
import { createRecordingLogger } from '@mono/test-support'
import { expect, onTestFinished, test, vi } from 'vitest'
import { receivedEmailMessage } from '../test/received-email.js'
import type { EmailProvider, SendReceipt } from './email-provider.js'
import { createEmailHandler } from './handle-email.js'
import { loadTemplates } from './templates/template-store.js'

test('a recipient is in line for four minutes at most; nobody is claimed then', async () => {
  vi.useFakeTimers()
  onTestFinished(() => void vi.useRealTimers())
  const claimed: string[] = []
  const ledger: DeliveryLedger = {
    leaseMs: 30_000,
    async claim(_message, recipients) {
      claimed.push(...recipients)
      return recipients.map((recipient) => ({ recipient, attempts: 1, ambiguous: false, reuses: 0 }))
    },
    record: async (_message, results) => results.length,
    renew: async (_message, claims) => claims.map(({ recipient }) => recipient),
    async release() {},
    read: async () => new Map(),
  }
  let answer: (receipt: SendReceipt) => void = () => {}
  const answered = new Promise<SendReceipt>((resolve) => {
    answer = resolve
  })
  const provider: EmailProvider = { tookAt: 0, send: () => answered, async probe() {}, async close() {} }
  const handler = createEmailHandler({
    ledger,
    provider,
    suppressions: { find: async () => new Set() },
    templates: loadTemplates(fileURLToPath(new URL('../templates', import.meta.url))),
    from: { address: 'mono@example.com' },
    onUnknown: 'resend',
    concurrency: 1,
  })
  const { signal } = new AbortController()
  const handle = (messageId: string, to: string[]) =>
    handler(receivedEmailMessage({ to }, { messageId }), {
      signal,
      logger: createRecordingLogger(),
      othersMayWait: () => false,
    })
  const slow = handle('slow', ['ada@example.com', 'bob@example.com'])
  await vi.waitFor(() => expect(claimed).toHaveLength(2))
  let error: unknown
  const waiting = handle('waiting', ['carol@example.com']).catch((reason: unknown) => {
    error = reason
  })
  await vi.advanceTimersByTimeAsync(239_000)
  expect(error).toBeUndefined()
  await vi.advanceTimersByTimeAsync(2_000)
  expect(error).toBeInstanceOf(DeferError)
  expect(error).toMatchObject({ message: 'The provider takes mails more slowly than they come' })
  expect(claimed).toEqual(['ada@example.com', 'bob@example.com'])
  answer({ providerId: 'q1', accepted: ['ada@example.com', 'bob@example.com'], rejected: [] })
  await Promise.allSettled([slow, waiting])
})
