import { generateKeyPairSync } from 'node:crypto'
import { createRealtimeToken, type RealtimeTokenOptions } from '../../src/index.js'

const { privateKey: key } = generateKeyPairSync('rsa', { modulusLength: 2_048 })

/** A token of user-1 of tenant 42 that lasts 900 s. */
export function createTestToken(options: Partial<RealtimeTokenOptions> = {}): string {
  return createRealtimeToken({ userId: 'user-1', tenantId: 42, conversations: ['a', 'b', 'c'], key, ...options })
}
