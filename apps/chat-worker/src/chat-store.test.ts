import { DeferError, PermanentError } from '@mono/message-queue'
import { describe, expect, test } from 'vitest'
import { chatMessage } from '../test/received-chat-message.js'
import { storeOne } from '../test/store-one.js'
import { createChatStore } from './chat-store.js'

const sqlError = (code: string) => Object.assign(new Error(`error ${code}`), { code })

const { tenantId: tenant_id, conversationId: conversation_id } = chatMessage()
const lockedConversation = { tenant_id, conversation_id, last_sequence: '0' }

/** A pool of one connection that answers each kind of statement as told, and remembers what was answered. */
function setUp(answers: Record<string, object[] | Error> = {}) {
  const steps: string[] = []
  const client = {
    async query(sql: string) {
      const [step = ''] = /^\s*\w+/.exec(sql) ?? []
      await Promise.resolve()
      steps.push(step.trim())
      const answer = answers[step.trim()] ?? []
      if (answer instanceof Error) throw answer
      return { rows: answer }
    },
    release(destroy = false) {
      steps.push(destroy ? 'end connection' : 'release connection')
    },
  }
  return { steps, store: createChatStore({ connect: async () => client }) }
}

describe('storeBatch', () => {
  test('an error ends the transaction and then the connection', async () => {
    const { steps, store } = setUp({ SELECT: sqlError('57014') })
    await expect(storeOne(store, chatMessage())).rejects.toBeInstanceOf(DeferError)
    expect(steps).toEqual(['BEGIN', 'SELECT', 'ROLLBACK', 'end connection'])
  })

  test('a server that is silent is asked nothing more', async () => {
    const { steps, store } = setUp({ SELECT: new Error('Query read timeout') })
    await expect(storeOne(store, chatMessage())).rejects.toBeInstanceOf(DeferError)
    expect(steps).toEqual(['BEGIN', 'SELECT', 'end connection'])
  })

  test('a message that PostgreSQL refuses for its data is dead-lettered as invalid', async () => {
    const { store } = setUp({ WITH: sqlError('22021'), INSERT: [lockedConversation] })
    const storing = storeOne(store, chatMessage())
    await expect(storing).rejects.toBeInstanceOf(PermanentError)
    await expect(storing).rejects.toMatchObject({ code: 'INVALID_MESSAGE' })
  })

  test('a database that cannot be reached defers the message', async () => {
    const refused = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' })
    const store = createChatStore({ connect: () => Promise.reject(refused) })
    await expect(storeOne(store, chatMessage())).rejects.toMatchObject({
      name: 'DeferError',
      code: 'DATABASE_UNAVAILABLE',
      cause: refused,
    })
  })
})
