import type { StoredChatMessage } from '@mono/contracts'
import { expectTypeOf, test } from 'vitest'
import type { RealtimeMessage } from './realtime-message.js'

test('a message of the browser is the one that chat-worker stores', () => {
  expectTypeOf<RealtimeMessage>().toExtend<StoredChatMessage>()
  expectTypeOf<StoredChatMessage>().toExtend<RealtimeMessage>()
})
