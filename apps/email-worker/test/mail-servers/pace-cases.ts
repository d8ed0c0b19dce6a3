import { printNumbers } from '@mono/test-support'
import { expect } from 'vitest'
import { expectEachOnce, type ProviderCase, type ProviderContext } from './provider-case.js'

/** No mail fails, and each is in the mailbox once. */
async function expectAllSent({ sendMany, server, provider }: ProviderContext, title: string, count: number) {
  const since = performance.now()
  const receipts = await sendMany(count)
  const seconds = Number(((performance.now() - since) / 1000).toFixed(1))
  const { concurrency } = provider
  printNumbers(`${server.name}: ${title}`, { mails: count, seconds, concurrency })
  expectEachOnce(await server.readMails(), receipts)
  return { seconds, concurrency }
}

/** Servers that want fewer connections or fewer mails, or take their time. */
export const paceCases: readonly ProviderCase[] = [
  {
    title: 'a server that has three connections for us takes 120 mails over them',
    options: { connectionsPerClient: 3 },
    async run(context) {
      const { concurrency } = await expectAllSent(context, 'three connections', 120)
      expect(concurrency).toBeLessThanOrEqual(3)
    },
  },
  {
    title: 'a server that takes ten mails in four seconds takes 30',
    options: { rate: { mails: 10, seconds: 4 } },
    async run(context) {
      const { concurrency } = await expectAllSent(context, 'ten mails in four seconds', 30)
      expect(concurrency).toBeLessThan(10)
    },
  },
  {
    title: 'a server that greets after six seconds takes each mail once',
    options: { greetingDelaySeconds: 6 },
    async run(context) {
      const { seconds } = await expectAllSent(context, 'greets after six seconds', 20)
      expect(seconds).toBeGreaterThanOrEqual(6)
    },
  },
  {
    title: 'a server that answers 40 s after the final dot takes each mail once',
    options: { finalDelaySeconds: 40 },
    async run(context) {
      const { seconds } = await expectAllSent(context, 'answers 40 s after the final dot', 10)
      expect(seconds).toBeGreaterThanOrEqual(40)
    },
  },
  {
    title: 'a server that is started again takes what comes meanwhile',
    async run({ sendMany, server }) {
      const first = await sendMany(20)
      await server.stop()
      await server.start()
      const receipts = [
        ...first,
        ...(await sendMany(20, (index) => ({ to: { address: `later-${index}@example.com` } }))),
      ]
      expectEachOnce(await server.readMails(), receipts)
    },
  },
]
