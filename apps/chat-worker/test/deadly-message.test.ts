import { fileURLToPath } from 'node:url'
import { createMessageQueue } from '@mono/message-queue'
import { migrate, printNumbers, test, waitFor } from '@mono/test-support'
import { describe, expect } from 'vitest'
import { conversations } from './description.mjs'
import { numberedMessage } from './worker-under-test.js'

const crashOnMarker = fileURLToPath(new URL('../../../chaos/crash-on-marker.mjs', import.meta.url))
const marker = 'this message is deadly'
const count = 600

describe('a chat message that ends whatever process takes it', { timeout: 200_000 }, () => {
  test('is given up after six ends, alone, and its conversation goes on in order', async ({
    vhost,
    database,
    workers,
    cleanUp,
  }) => {
    await migrate('chat-worker', database.url)
    const env = {
      RABBITMQ_URL: vhost.url,
      DATABASE_URL: database.url,
      NODE_OPTIONS: `--import ${crashOnMarker}`,
    }
    let isOver = false
    cleanUp(() => {
      isOver = true
    })
    let ends = 0
    const spawn = () => workers.spawn('chat-worker', env)
    /** Started again whenever it dies. */
    async function keepRunning(worker: ReturnType<typeof spawn>): Promise<void> {
      const { signal } = await worker.exited
      if (isOver) return
      expect(signal).toBe('SIGKILL')
      ends += 1
      running.delete(worker)
      const next = spawn()
      running.add(next)
      await keepRunning(next)
    }
    const first = spawn()
    const running = new Set([first])
    await first.ready()
    const second = spawn()
    running.add(second)
    const replicas = [first, second].map(keepRunning)

    const messageQueue = createMessageQueue({ url: vhost.url, connectionName: 'test', deadlineMs: 30_000 })
    cleanUp(() => messageQueue.close())
    for (let index = 0; index < count; index += 1) {
      const message = numberedMessage(index)
      await messageQueue.sendChatMessage(index === 40 ? { ...message, content: marker } : message)
    }
    await waitFor(async () => (await vhost.countMessages('chat.messages.dlq')) > 0, {
      what: 'the deadly message to be given up',
      timeoutMs: 90_000,
    })
    const stored = () =>
      database.query<{ number: number }>(
        "SELECT substr(message_id, length('message-') + 1)::int AS number FROM chat.messages ORDER BY conversation_id, sequence",
      )
    // Each message that was in the hands of a process that died is tried alone, which takes a while on a busy machine.
    await waitFor(async () => (await stored()).length === count - 1, {
      what: 'all others to be stored',
      timeoutMs: 60_000,
    })
    isOver = true
    for (const worker of running) await worker.terminate()
    await Promise.all(replicas)
    printNumbers('chat-worker deadly message', { ends })

    const [dead] = await vhost.drainQueue('chat.messages.dlq', 1)
    expect(dead?.headers).toMatchObject({ 'x-failure-code': 'HANDLER_BUG' })
    expect(dead?.json()).toMatchObject({ content: marker })
    expect(await vhost.countMessages('chat.messages.dlq')).toBe(0)
    expect(ends).toBe(6)
    const numbers = (await stored()).map(({ number }) => number)
    for (let room = 0; room < conversations; room += 1) {
      const ofRoom = numbers.filter((number) => number % conversations === room)
      expect(ofRoom).toEqual(ofRoom.toSorted((a, b) => a - b))
    }
    expect(await database.query('SELECT FROM chat.trials')).toEqual([])
  })
})
