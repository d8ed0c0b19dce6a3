import { createRealtimeToken } from '@mono/realtime'
import { uuidv7 } from 'uuidv7'
import { z } from 'zod'
import type { OpenConversation } from '../data/messages.js'
import { NotFoundError } from '../errors.js'
import { trackUserAction } from '../services/audit.service.js'
import { sendChatMessage } from '../services/chat.service.js'
import { id, text } from './fields.js'
import { readBody } from './read-body.js'
import { readId } from './read-id.js'
import type { Routes, Site } from './site.js'

/** A page that sends again after an answer that it did not get names the same id. */
const newMessage = z.strictObject({ messageId: id.optional(), content: text })

const open = z.array(z.object({ conversationId: id, after: z.int().min(0) })).max(200)

export function addConversationRoutes(routes: Routes, { transact, messageQueue, realtimeKey }: Site): void {
  routes.get('/conversations', async (context) => {
    const { tenantId, userId } = context.get('session')
    return context.json(await transact(({ db }) => db.conversation.list(tenantId, userId)))
  })

  routes.get('/conversations/:conversationId/messages', async (context) => {
    const { tenantId, userId } = context.get('session')
    const conversationId = readId(context, 'conversationId')
    const after = Math.max(0, Math.trunc(Number(context.req.query('after') ?? 0)) || 0)
    const answer = await transact(async ({ db }) => {
      await db.conversation.assertMember(tenantId, userId, [conversationId])
      // In this order: a message that is stored between the two is in one of them.
      const pending = await db.message.listPending(tenantId, conversationId)
      return { pending, messages: await db.message.listAfter(tenantId, [{ conversationId, after }]) }
    })
    return context.json(answer)
  })

  routes.post('/conversations/:conversationId/messages', async (context) => {
    const { tenantId, userId } = context.get('session')
    const conversationId = readId(context, 'conversationId')
    const { messageId = uuidv7(), content } = await readBody(context, newMessage)
    const saved = await transact(async (work) => {
      const message = await sendChatMessage(work, {
        messageId,
        conversationId,
        senderId: userId,
        tenantId,
        content,
        messageType: 'text',
        timestamp: new Date(),
      })
      await trackUserAction(work, userId, tenantId, 'MESSAGE_SENT', 'Conversation', conversationId, { messageId })
      return message
    })
    return context.json({ ...saved, accepted: true, brokerConnected: messageQueue.connected }, 202)
  })

  routes.post('/messages-after', async (context) => {
    const { tenantId, userId } = context.get('session')
    const asked: OpenConversation[] = await readBody(context, open)
    const messages = await transact(async ({ db }) => {
      await db.conversation.assertMember(
        tenantId,
        userId,
        asked.map(({ conversationId }) => conversationId),
      )
      return await db.message.listAfter(tenantId, asked)
    })
    const answers = asked.map(({ conversationId }) => ({
      conversationId,
      messages: messages.filter((message) => message.conversationId === conversationId),
    }))
    return context.json(answers)
  })

  routes.post('/realtime-token', async (context) => {
    const { tenantId, userId } = context.get('session')
    const listed = await transact(({ db }) => db.conversation.list(tenantId, userId))
    if (listed.length === 0) throw new NotFoundError('There is no conversation to hear')
    const conversations = listed.map(({ conversationId }) => conversationId)
    return context.text(createRealtimeToken({ userId, tenantId, conversations, key: realtimeKey }))
  })
}
