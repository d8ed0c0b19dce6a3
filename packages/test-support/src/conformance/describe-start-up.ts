import { describe, expect } from 'vitest'
import { migrate } from '../migrate.js'
import { printNumbers } from '../print-numbers.js'
import type { WorkerProcess } from '../spawn-worker.js'
import { createTcpProxy } from '../tcp-proxy.js'
import type { TestVhost } from '../test-vhost.js'
import { waitFor } from '../wait-for.js'
import { readWorkspaceFile } from '../workspace.js'
import { conformanceTest } from './conformance-test.js'
import { environmentOf, prepareDatabase, untilDone } from './worker-fleet.js'
import type { WorkerUnderTest } from './worker-under-test.js'

async function statusOf(worker: WorkerProcess, path: string): Promise<number> {
  return (await fetch(`${worker.httpUrl}${path}`)).status
}

const warningsOf = ({ logs }: WorkerProcess) => logs.filter(({ level }) => level !== 'info').map(({ msg }) => msg)

export function describeStartUp(worker: WorkerUnderTest): void {
  const test = conformanceTest(worker)
  describe(`${worker.name} at its start`, () => {
    // So many attempts last for three seconds: the pause between two of them grows.
    test.for([
      {
        variable: 'RABBITMQ_URL',
        attempts: 6,
        away: 'The consumer cannot consume; it will keep retrying',
        back: 'The consumer can consume again',
      },
      { variable: 'DATABASE_URL', attempts: 5, away: 'Database cannot be reached', back: 'Database is up' },
    ] as const)(
      'waits for what $variable names, says so once, and becomes ready when it appears',
      async ({ variable, attempts, away, back }, { vhost, database, farEnd, workers, cleanUp }) => {
        await prepareDatabase(worker, { database, farEnd })
        const env = environmentOf({ vhost, database, farEnd })
        const proxy = await createTcpProxy({ target: env[variable] ?? '' })
        cleanUp(() => proxy.close())
        await proxy.down('reset')
        const since = performance.now()
        const replica = workers.spawn(worker.name, { ...env, [variable]: proxy.url(env[variable] ?? '') })
        await waitFor(() => proxy.attempts >= attempts, { what: `${attempts} attempts`, timeoutMs: 20_000 })
        const awayMs = performance.now() - since
        expect([await statusOf(replica, '/livez'), await statusOf(replica, '/readyz')]).toEqual([200, 503])
        expect(warningsOf(replica)).toEqual([away])
        const linesWhileAway = replica.logs.length

        await proxy.up()
        await replica.ready()
        await vhost.publish(worker.exchange, worker.routingKey, worker.createBody(0))
        await untilDone(worker, database, 1)
        printNumbers(`${worker.name} start without ${variable}`, {
          attempts: proxy.attempts,
          awayMs: Math.round(awayMs),
          linesWhileAway,
          warnings: warningsOf(replica).length,
        })
        expect(await replica.terminate()).toEqual({ code: 0, signal: null })
        // On a busy machine it may be unready once more for another reason, and says so.
        expect(warningsOf(replica).filter((msg) => msg === away)).toHaveLength(1)
        expect(replica.logs.filter(({ msg }) => msg === back)).toHaveLength(1)
      },
    )

    test('says in the broker’s own words why it cannot consume, to who asks and in the log, and no password', async ({
      vhost,
      database,
      farEnd,
      workers,
    }) => {
      await prepareDatabase(worker, { database, farEnd })
      const url = Object.assign(new URL(vhost.url), { pathname: '/nonesuch' })
      const replica = workers.spawn(worker.name, {
        ...environmentOf({ vhost, database, farEnd }),
        RABBITMQ_URL: url.href,
      })
      const words = 'NOT_ALLOWED - vhost nonesuch not found'
      const report = await waitFor(
        async () => {
          const text = await fetch(`${replica.httpUrl}/readyz`).then((answer) => answer.text())
          return text.includes(words) && text
        },
        { what: 'the reason in /readyz', timeoutMs: 20_000 },
      )
      expect(JSON.parse(report)).toMatchObject({
        status: 'not ready',
        checks: { consumer: { state: 'connecting', error: expect.stringContaining(words) } },
      })
      const lines = replica.logs.map((line) => JSON.stringify(line))
      expect(lines.filter((line) => line.includes(words))).toHaveLength(1)
      expect([report, ...lines].join()).not.toContain(decodeURIComponent(url.password))
      expect(await replica.terminate()).toEqual({ code: 0, signal: null })
    })

    test('is not ready before its migrations, and says which command applies them', async ({
      vhost,
      database,
      farEnd,
      workers,
      cleanUp,
    }) => {
      const proxy = await createTcpProxy({ target: database.url })
      cleanUp(() => proxy.close())
      const env = { ...environmentOf({ vhost, database, farEnd }), DATABASE_URL: proxy.url(database.url) }
      const replica = workers.spawn(worker.name, env)
      // It makes a connection for each look as long as something is wrong.
      await waitFor(() => proxy.attempts >= 4, { what: 'the worker to look for its table four times' })
      const answer = await fetch(`${replica.httpUrl}/readyz`)
      const command = `node apps/${worker.name}/dist/migrate.js`
      expect(answer.status).toBe(503)
      expect(await answer.json()).toMatchObject({
        checks: { database: { state: 'not migrated', error: expect.stringContaining(command) } },
      })
      expect(warningsOf(replica)).toEqual(['Database is not migrated'])
      expect(JSON.stringify(replica.logs.find(({ level }) => level === 'warn'))).toContain(command)
      await migrate(worker.name, database.url)
      await replica.ready()
      printNumbers(`${worker.name} start before its migrations`, {
        warnings: warningsOf(replica).length,
      })
      expect(await replica.terminate()).toEqual({ code: 0, signal: null })
    })

    test('ends with 1 when its queue exists with other arguments, and names what differs', async ({
      vhost,
      database,
      farEnd,
      workers,
    }) => {
      await migrate(worker.name, database.url)
      const { wanted } = await declareOtherwise(vhost, worker.queue)
      const since = performance.now()
      const replica = workers.spawn(worker.name, environmentOf({ vhost, database, farEnd }))
      expect(await replica.exited).toEqual({ code: 1, signal: null })
      const fatal = replica.logs.filter(({ level }) => level === 'fatal').map(({ err }) => err)
      printNumbers(`${worker.name} start with another queue`, {
        exitMs: Math.round(performance.now() - since),
        fatal: fatal.map((err) => (err as { message?: string }).message),
      })
      const mismatch = { queue: worker.queue, argument: 'x-message-ttl', found: '4711', wanted }
      expect(fatal).toMatchObject([{ code: 'TOPOLOGY_MISMATCH', ...mismatch }])
      for (const part of Object.values(mismatch)) {
        expect((fatal[0] as { message: string }).message).toContain(part)
      }
    })
  })
}

/** As `definitions.json` has it but for the TTL. */
async function declareOtherwise(vhost: TestVhost, name: string): Promise<{ wanted: string }> {
  const definitions: { queues: { name: string; arguments: Record<string, unknown> }[] } = JSON.parse(
    await readWorkspaceFile('docker/rabbitmq/definitions.json'),
  )
  const queueArguments = definitions.queues.find((queue) => queue.name === name)?.arguments ?? {}
  await vhost.withChannel((channel) =>
    channel.assertQueue(name, { durable: true, arguments: { ...queueArguments, 'x-message-ttl': 4711 } }),
  )
  return { wanted: String(queueArguments['x-message-ttl']) }
}
