import { test } from '@mono/test-support'
import { describe, expect } from 'vitest'
import { readEnv } from '../src/read-env.js'
import { type CommandContext, runCommand } from '../src/run-command.js'
import { type WorkerEnv, workerEnv } from '../src/worker-env.js'
import { createFakeHost } from './support/fake-host.js'
import { recordLogs } from './support/record-logs.js'

async function run(env: Record<string, string>, work: (context: CommandContext<WorkerEnv>) => Promise<void>) {
  const host = createFakeHost()
  const logs = recordLogs()
  await runCommand(
    {
      name: 'chat-worker',
      command: 'mend',
      readEnv: () => readEnv(workerEnv({ httpPort: 0 }), env),
      probeTable: 'chat.trials',
      run: work,
    },
    { host, waitMs: 500, logger: logs.logger },
  )
  return { host, logs }
}

const nothing = async () => {}
const broker = 'amqp://user:password@127.0.0.1:1/mono'

describe('a command', () => {
  test('does its work with the database and ends with 0', async ({ database }) => {
    await database.query('create schema chat')
    await database.query('create table chat.trials (id int)')
    const { host } = await run({ DATABASE_URL: database.url, RABBITMQ_URL: broker }, async ({ pool }) => {
      await pool.query('insert into chat.trials values (7)')
    })
    expect(host.exitCode).toBe(0)
    expect(await database.query('select id from chat.trials')).toEqual([{ id: 7 }])
  })

  test('that fails ends with 1 and says why', async ({ database }) => {
    await database.query('create schema chat')
    await database.query('create table chat.trials (id int)')
    const { host, logs } = await run({ DATABASE_URL: database.url, RABBITMQ_URL: broker }, async () => {
      throw new Error('no luck')
    })
    expect(host.exitCode).toBe(1)
    expect(logs.find('The command has failed')).toMatchObject({ level: 'fatal', err: { message: 'no luck' } })
  })

  test('does not begin before the migrations, and says which command applies them', async ({ database }) => {
    const { host, logs } = await run({ DATABASE_URL: database.url, RABBITMQ_URL: broker }, nothing)
    expect(host.exitCode).toBe(1)
    expect(logs.find('The command has failed')).toMatchObject({
      err: { message: expect.stringContaining('node apps/chat-worker/dist/migrate.js') },
    })
  })

  test('whose environment has faults ends with 1 and a list of them', async () => {
    const { host } = await run({}, nothing)
    expect(host.exitCode).toBe(1)
    expect(host.printed[0]).toMatch(/DATABASE_URL[\s\S]*RABBITMQ_URL/)
  })
})
