import { createRealtimeToken } from '@mono/realtime'
import { uuidv7 } from 'uuidv7'
import { z } from 'zod'
import { RefusedError } from '../errors.js'
import { trackUserAction } from '../services/audit.service.js'
import {
  assertMember,
  listConversations,
  listMessagesAfter,
  listPendingMessages,
  sendChatMessage,
} from '../services/chat.service.js'
import { id, readBody, readId, text } from './input.js'
import type { Routes, Site } from './site.js'

/** A page that sends again after an answer that it did not get names the same id. */
const newMessage = z.strictObject({ messageId: id.optional(), content: text })

const lastSeen = z.array(z.object({ conversationId: id, after: z.int().min(0) })).max(200)

const after = z.coerce.number().int().min(0).max(Number.MAX_SAFE_INTEGER).catch(0)

export function addChatRoutes(routes: Routes, { transact, messageQueue, realtimeKey, vhost }: Site): void {
  routes.get('/conversations', async (context) => {
    return context.json(await transact((work) => listConversations(work, context.get('session'))))
  })

  routes.get('/conversations/:conversationId/messages', async (context) => {
    const session = context.get('session')
    const conversationId = readId(context, 'conversationId')
    const last = { conversationId, after: after.parse(context.req.query('after')) }
    const answer = await transact(async (work) => {
      await assertMember(work, session, [conversationId])
      // In this order: a message that is stored between the two is in one of them.
      const pending = await listPendingMessages(work, session.tenantId, conversationId)
      return { pending, messages: await listMessagesAfter(work, session.tenantId, [last]) }
    })
    return context.json(answer)
  })

  routes.post('/conversations/:conversationId/messages', async (context) => {
    const { tenantId, userId } = context.get('session')
    const conversationId = readId(context, 'conversationId')
    const { messageId = uuidv7(), content } = await readBody(context, newMessage)
    const saved = await transact(async (work) => {
      const { savedMessage, isNew } = await sendChatMessage(work, {
        messageId,
        conversationId,
        senderId: userId,
        tenantId,
        content,
        messageType: 'text',
        timestamp: new Date(),
      })
      if (isNew)
        await trackUserAction(work, userId, tenantId, 'MESSAGE_SENT', 'Conversation', conversationId, { messageId })
      return savedMessage
    })
    return context.json({ ...saved, accepted: true, brokerConnected: messageQueue.connected }, 202)
  })

  routes.post('/messages-after', async (context) => {
    const session = context.get('session')
    const asked = await readBody(context, lastSeen)
    const ids = asked.map(({ conversationId }) => conversationId)
    const messages = await transact(async (work) => {
      await assertMember(work, session, ids)
      return await listMessagesAfter(work, session.tenantId, asked)
    })
    const of = (id: string) => messages.filter(({ conversationId }) => conversationId === id)
    return context.json(ids.map((conversationId) => ({ conversationId, messages: of(conversationId) })))
  })

  routes.post('/realtime-token', async (context) => {
    const { tenantId, userId } = context.get('session')
    const listed = await transact((work) => listConversations(work, { tenantId, userId }))
    if (listed.length === 0) throw new RefusedError(404, 'There is no conversation to hear')
    const conversations = listed.map(({ conversationId }) => conversationId)
    return context.text(createRealtimeToken({ userId, tenantId, conversations, key: realtimeKey, vhost }))
  })
}
