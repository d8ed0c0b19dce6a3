import { realtimeRoutingKey } from '@mono/contracts'
import { brokerUrl, waitFor } from '@mono/test-support'
import { connect } from 'amqplib'
import {
  type ConversationState,
  connectRealtime,
  type RealtimeError,
  type RealtimeOptions,
} from '../../src/browser/index.js'
import { createRealtimeToken, type RealtimeTokenOptions } from '../../src/index.js'
import { realtime } from './broker-test.js'
import { createMessage } from './create-message.js'

type CleanUp = (release: () => Promise<unknown> | unknown) => void

export interface RealPageOptions extends Partial<RealtimeOptions> {
  token?: Partial<RealtimeTokenOptions>
}

/**
 * RabbitMQ as the workers have it, a tenant of the test's own, what its application has stored, and pages of its users.
 */
export async function openTenant(cleanUp: CleanUp) {
  const { url = '', key = '' } = realtime ?? {}
  const tenantId = 1 + Math.floor(Math.random() * Number.MAX_SAFE_INTEGER)
  const stored = new Map<string, number>()
  const connection = await connect(brokerUrl())
  cleanUp(() => connection.close())
  const channel = await connection.createConfirmChannel()
  await channel.assertExchange('realtime', 'topic', { durable: true })

  /** Stores the next message of a conversation; `isLost`: its broadcast never leaves. */
  async function send(conversationId: string, { isLost = false } = {}): Promise<void> {
    const sequence = (stored.get(conversationId) ?? 0) + 1
    stored.set(conversationId, sequence)
    if (isLost) return
    const body = Buffer.from(JSON.stringify({ ...createMessage(conversationId, sequence), tenantId }))
    channel.publish('realtime', realtimeRoutingKey(tenantId, conversationId), body)
    await channel.waitForConfirms()
  }

  const loadAfter: RealtimeOptions['loadAfter'] = async (open) =>
    open.map(({ conversationId, after }) => ({
      conversationId,
      messages: Array.from({ length: (stored.get(conversationId) ?? 0) - after }, (_, index) => ({
        ...createMessage(conversationId, after + 1 + index),
        tenantId,
      })),
    }))

  function openPage({ token, ...options }: RealPageOptions = {}) {
    const errors: RealtimeError[] = []
    const realtime = connectRealtime({
      url,
      getToken: async () =>
        createRealtimeToken({ userId: 'user-1', tenantId, conversations: 'whole-tenant', key, ...token }),
      loadAfter,
      onError: (error) => void errors.push(error),
      ...options,
    })
    cleanUp(() => realtime.close())

    function open(conversationId: string) {
      const heard: number[] = []
      const states: ConversationState[] = []
      const close = realtime.subscribe(conversationId, {
        after: stored.get(conversationId) ?? 0,
        onMessage: ({ sequence }) => void heard.push(sequence),
        onState: (state) => void states.push(state),
      })
      const becomes = (state: ConversationState) =>
        waitFor(() => states.at(-1) === state, { what: `${conversationId} to be ${state}` })
      const hears = (count: number) =>
        waitFor(() => heard.length >= count, { what: `${count} messages of ${conversationId}` })
      return { heard, states, close, becomes, hears }
    }
    return { open, errors, realtime, codes: () => errors.map(({ code }) => code) }
  }
  return { tenantId, send, openPage, url, key, loadAfter }
}

/** 1, 2 … count. */
export const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1)
