import { examples } from '@mono/contracts'
import type { MessageHandler } from '@mono/message-queue'
import { type TestDatabase, type TestVhost, waitFor } from '@mono/test-support'
import { readEnv } from '../../src/read-env.js'
import { type RunWorkerOptions, runWorker } from '../../src/run-worker.js'
import { type WorkerEnv, workerEnv } from '../../src/worker-env.js'
import { createFakeHost } from './fake-host.js'
import { recordLogs } from './record-logs.js'

export const queue = 'audit.events'

interface Services {
  rabbitmqUrl: string
  databaseUrl: string
}

/** A worker of this process on the real broker and database, with a host that the test sends signals to. */
export function run(
  { rabbitmqUrl, databaseUrl }: Services,
  {
    handler = async () => {},
    env = {},
    ...options
  }: { handler?: MessageHandler<typeof queue>; env?: Record<string, string> } & Partial<
    RunWorkerOptions<WorkerEnv>
  > = {},
) {
  const host = createFakeHost()
  const logs = recordLogs()
  const source = { RABBITMQ_URL: rabbitmqUrl, DATABASE_URL: databaseUrl, HTTP_PORT: '0', ...env }
  const ended = runWorker(
    {
      name: 'audit-worker',
      schema: 'audit',
      probeTable: 'audit.events',
      readEnv: () => readEnv(workerEnv({ httpPort: 9104 }), source),
      start: async ({ messageQueue, onSettled }) => ({
        consumer: await messageQueue.consumeMessages(queue, handler, { prefetch: 10, onSettled }),
      }),
      ...options,
    },
    { host, createLogger: () => logs.logger },
  )
  const get = async (path: string) => {
    const port = await waitFor(() => logs.find('Health server is listening')?.port, { what: 'the health server' })
    return await fetch(`http://127.0.0.1:${port}${path}`)
  }
  const ready = (expected = 200) =>
    waitFor(async () => (await get('/readyz')).status === expected, { what: `/readyz to say ${expected}` })
  const stop = async () => {
    host.signals.emit('SIGTERM')
    await ended
  }
  return { host, logs, ended, get, ready, stop }
}

export async function migrate(database: TestDatabase): Promise<void> {
  await database.query('create schema audit')
  await database.query('create table audit.events (id int)')
}

export const publish = (vhost: TestVhost) => vhost.publish('audit', 'audit.track', examples['audit.event'])
