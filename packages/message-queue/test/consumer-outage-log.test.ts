import {
  createRecordingLogger,
  createTcpProxy,
  type LoggedLine,
  type TestFixtures,
  test,
  waitFor,
} from '@mono/test-support'
import { expect } from 'vitest'
import { openMessageQueue } from './open-message-queue.js'

const lost = 'The consumer cannot consume; it will keep retrying'
const again = 'The consumer can consume again'

const messagesOf = (lines: LoggedLine[], level: LoggedLine['level']) =>
  lines.filter((line) => line.level === level && [lost, again].includes(line.message)).map(({ message }) => message)

async function openThroughProxy(
  { vhost, cleanUp }: Pick<TestFixtures, 'vhost' | 'cleanUp'>,
  { url = vhost.url, isDown = false } = {},
) {
  const proxy = await createTcpProxy({ target: vhost.url })
  cleanUp(() => proxy.close())
  if (isDown) await proxy.down()
  const logger = createRecordingLogger()
  const messageQueue = openMessageQueue({ vhost, cleanUp }, { url: proxy.url(url), logger })
  const consuming = messageQueue.consumeMessages('push.notifications', async () => {})
  // It is closed after the test.
  consuming.catch(() => {})
  return { proxy, consuming, lines: logger.lines }
}

const untilTried = (lines: LoggedLine[], times: number) =>
  waitFor(() => lines.filter(({ message }) => message === lost).length >= times, { what: `${times} attempts` })

test('an outage is one line when the broker goes and one when it is back, whatever each attempt fails for', async ({
  vhost,
  cleanUp,
}) => {
  const { proxy, consuming, lines } = await openThroughProxy({ vhost, cleanUp })
  const consumer = await consuming
  for (const how of ['reset', 'refuse', 'reset'] as const) {
    lines.length = 0
    await proxy.down(how)
    await untilTried(lines, 3)
    expect(messagesOf(lines, 'warn')).toEqual([lost])
    expect(messagesOf(lines, 'info')).toEqual([])
    await proxy.up()
    await waitFor(() => messagesOf(lines, 'info').length > 0, { what: 'the consumer to have the broker again' })
    expect(messagesOf(lines, 'info')).toEqual([again])
    expect(consumer.state).toBe('consuming')
  }
})

test('a broker that is there at last and refuses the user is one line more', async ({ vhost, cleanUp }) => {
  const url = new URL(vhost.url)
  url.password = 'not-the-password'
  const { proxy, lines } = await openThroughProxy({ vhost, cleanUp }, { url: url.href, isDown: true })
  await untilTried(lines, 2)
  expect(messagesOf(lines, 'warn')).toEqual([lost])
  await proxy.up()
  await waitFor(() => messagesOf(lines, 'warn').length > 1, { what: 'the refusal to be logged' })
  await untilTried(lines, lines.length + 1)
  expect(messagesOf(lines, 'warn')).toEqual([lost, lost])
  expect(lines.filter(({ level }) => level === 'warn').at(-1)?.data.err).toMatchObject({
    message: expect.stringContaining('ACCESS_REFUSED'),
  })
  expect(messagesOf(lines, 'info')).toEqual([])
})
