import { createTcpProxy, test, waitFor } from '@mono/test-support'
import { expect } from 'vitest'
import { createPool } from '../src/database.js'
import { holdCommits } from './support/hold-commits.js'
import { openSite, openSiteOn } from './support/site-under-test.js'

const message = { messageId: 'one', content: 'Hi' }
const path = '/conversations/lunch/messages'

test.for([
  { fate: 'went through', isCommitted: true },
  { fate: 'did not', isCommitted: false },
])(
  'when the database goes while it commits, the answer is “unknown”, and the same request again gives one message: the commit $fate',
  async ({ isCommitted }, { database, cleanUp }) => {
    const direct = await openSite(database)
    const proxy = await createTcpProxy({ target: database.url })
    cleanUp(() => proxy.close())
    const pool = createPool(proxy.url(database.url))
    cleanUp(() => pool.end())
    const ada = await openSiteOn(pool).logIn(1, 'ada')
    const commits = await holdCommits(database)
    const first = ada.send('POST', path, message)
    const server = await commits.untilOneWaits()
    proxy.cut()
    expect(await first).toMatchObject({ status: 503, body: { accepted: 'unknown' } })
    if (!isCommitted) await database.query('SELECT pg_terminate_backend($1)', [server])
    await commits.letGo()
    const isOver = async () =>
      (await database.query('SELECT FROM pg_stat_activity WHERE pid = $1', [server])).length === 0
    await waitFor(isOver, { what: 'the server to be done with it' })
    const rows = () => database.query('SELECT message_id FROM example.messages')
    expect(await rows()).toHaveLength(isCommitted ? 1 : 0)

    const second = await (await direct.logIn(1, 'ada')).send('POST', path, message)
    expect(second).toMatchObject({ status: 202, body: { accepted: true, messageId: 'one' } })
    expect(await rows()).toEqual([{ message_id: 'one' }])
    expect(await database.query('SELECT type FROM example.outbox ORDER BY type')).toEqual([
      { type: 'audit.event' },
      { type: 'chat.message' },
    ])
  },
)
