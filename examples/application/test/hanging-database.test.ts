import { setTimeout as wait } from 'node:timers/promises'
import { createTcpProxy, test, waitFor } from '@mono/test-support'
import { expect } from 'vitest'
import { createPool } from '../src/database.js'
import { openSite, openSiteOn } from './support/site-under-test.js'

/** The page gives up then. */
const pagePatienceMs = 15_000

test('while the database hangs, whoever asks is answered before the page gives up', async ({ database, cleanUp }) => {
  await openSite(database)
  const proxy = await createTcpProxy({ target: database.url })
  cleanUp(() => proxy.close())
  const pool = createPool(proxy.url(database.url))
  cleanUp(() => pool.end())
  const site = openSiteOn(pool)
  const ada = await site.logIn(1, 'ada')
  const tooLate = async () => {
    await wait(pagePatienceMs, undefined, { ref: false })
    return { status: 'too late' }
  }
  // A connection for each of the two requests.
  await Promise.all([site.request('/readyz'), site.request('/readyz')])
  expect(pool.idleCount).toBe(2)
  proxy.freeze()
  const order: string[] = []
  const ask = async (name: string, request: Promise<unknown>) => {
    const answer = await Promise.race([request, tooLate()])
    order.push(name)
    return answer
  }
  const asked = ask('message', ada.send('POST', '/conversations/lunch/messages', { messageId: 'one', content: 'Hi' }))
  await waitFor(() => pool.idleCount === 1, { what: 'the message to be asked for' })
  const health = await ask('health', site.request('/readyz'))
  const message = await asked
  expect(message).toMatchObject({ status: 503, body: { accepted: false } })
  expect(health).toMatchObject({ status: 503, body: { database: 'away' } })
  // A look at the health has less patience.
  expect(order).toEqual(['health', 'message'])
  expect(pool.totalCount).toBe(0)

  proxy.thaw()
  const again = await ada.send('POST', '/conversations/lunch/messages', { messageId: 'one', content: 'Hi' })
  expect(again).toMatchObject({ status: 202, body: { accepted: true } })
})
