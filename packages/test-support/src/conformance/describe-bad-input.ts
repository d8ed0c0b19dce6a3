import { describe, expect } from 'vitest'
import { printNumbers } from '../print-numbers.js'
import type { TestVhost } from '../test-vhost.js'
import { type BadMessage, badForAnyType, readDocumentedRefusals } from './bad-message.js'
import { conformanceTest } from './conformance-test.js'
import { countLeft, startFleet, untilDone, upTo } from './worker-fleet.js'
import type { WorkerUnderTest } from './worker-under-test.js'

export interface BadInputOptions {
  /** What can be wrong with this worker's messages. */
  messages: BadMessage[]
  /** Rows of the documentation for which this worker's messages have no place. */
  inapplicable?: string[]
  /** The heading of a table in docs/failures.md of what only this worker refuses. Default: there is none. */
  own?: string
  /** What is bad only because of the good ones: it is sent when they are done. */
  late?: BadMessage[]
}

const goodCount = 2_000

export function describeBadInput(worker: WorkerUnderTest, options: BadInputOptions): void {
  const test = conformanceTest(worker)
  const { messages, inapplicable = [], own, late = [] } = options
  const mixed = [...badForAnyType, ...messages]
  const readDocumented = async () => [
    ...(await readDocumentedRefusals('Bad input')),
    ...(own === undefined ? [] : await readDocumentedRefusals(own)),
  ]
  /** A body of its own for each, that no good message has. */
  const bad = [...mixed, ...late].map((message, index) => ({
    routingKey: worker.routingKey,
    ...message,
    body: Buffer.from(message.body ?? JSON.stringify(worker.createBody(goodCount + index))),
  }))

  describe(`bad input to ${worker.name}`, { timeout: 180_000 }, () => {
    test('every documented kind is tried', async () => {
      const documented = (await readDocumented()).map(({ input }) => input)
      expect(documented.length).toBeGreaterThan(10)
      expect([...new Set([...mixed.map(({ input }) => input), ...inapplicable])].toSorted()).toEqual(
        documented.toSorted(),
      )
    })

    test('is dead-lettered with its reason, and nothing else is', async ({
      vhost,
      database,
      farEnd,
      workers,
      cleanUp,
    }) => {
      const [replica] = await startFleet(worker, { vhost, database, farEnd, workers })
      const effects = await worker.watchEffects({ vhost, database, farEnd })
      const send = worker.openSender({ vhost, cleanUp })
      const publish = (message: (typeof bad)[number]) => publishBad(vhost, worker.exchange, message)
      const share = Math.ceil(goodCount / mixed.length)
      await Promise.all(
        bad.slice(0, mixed.length).flatMap((message, index) => [
          ...upTo(goodCount)
            .slice(index * share, (index + 1) * share)
            .map(send),
          publish(message),
        ]),
      )
      await untilDone(worker, database, goodCount, { timeoutMs: 120_000 })
      await Promise.all(bad.slice(mixed.length).map(publish))

      const refusals = await vhost.drainQueue(`${worker.queue}.dlq`, bad.length, { timeoutMs: 30_000 })
      const documented = await readDocumented()
      const found = refusals.map(({ body, headers }) => {
        const sent = bad.find((message) => message.body.equals(body))
        const row = documented.find(({ input }) => input === sent?.input)
        const named = sent?.named ?? row?.named ?? 'nothing'
        const reason = String(headers['x-failure-message'])
        return {
          input: sent?.input,
          code: headers['x-failure-code'],
          attempts: headers['x-attempts'],
          origin: [headers['x-original-exchange'], headers['x-original-routing-key']],
          names: reason.includes(named) ? named : reason,
        }
      })
      const wanted = bad.map(({ input, code, named, attempts = code ? 1 : 0, routingKey }) => {
        const row = documented.find((each) => each.input === input)
        const origin = [worker.exchange, routingKey]
        return { input, code: code ?? row?.code, attempts, origin, names: named ?? row?.named }
      })
      printNumbers(`${worker.name} bad input`, {
        pid: replica.pid,
        good: goodCount,
        bad: bad.length,
        deadLettered: refusals.length,
        codes: Object.fromEntries(
          [...new Set(found.map(({ code }) => String(code)))].map((code) => [
            code,
            found.filter((each) => each.code === code).length,
          ]),
        ),
      })

      const byText = (items: object[]) => items.map((item) => JSON.stringify(item)).toSorted()
      expect(byText(found)).toEqual(byText(wanted))
      await effects.expectOnce(goodCount)
      // The very consumer that had the bad ones goes on: it was not lost and made anew.
      expect(replica.running).toBe(true)
      expect(replica.logs.filter(({ state }) => state === 'connecting')).toEqual([])
      expect(new Set(replica.logs.map(({ pid }) => pid))).toEqual(new Set([replica.pid]))
      await replica.ready()
      expect(await replica.terminate()).toEqual({ code: 0, signal: null })
      expect(await countLeft(worker, { vhost })).toEqual({ ready: 0, dead: 0 })
    })
  })
}

async function publishBad(
  vhost: TestVhost,
  exchange: string,
  { routingKey, body, properties, uncheckedHeaders }: BadMessage & { routingKey: string; body: Buffer },
): Promise<void> {
  if (uncheckedHeaders) await vhost.publishUnchecked(exchange, routingKey, body.toString(), uncheckedHeaders)
  else await vhost.publish(exchange, routingKey, body, properties)
}
