import type { MessageQueue } from '@mono/message-queue'

export interface FakeMessageQueue {
  health: MessageQueue['health']
  readonly calls: string[]
  drain(): Promise<void>
  close(): Promise<void>
}

export function createFakeMessageQueue(health: Partial<ReturnType<MessageQueue['health']>> = {}): FakeMessageQueue {
  const calls: string[] = []
  return {
    calls,
    health: () => ({ connection: 'idle', blocked: false, consumers: [], inFlight: 0, buffered: 0, ...health }),
    drain: async () => void calls.push('drain'),
    close: async () => void calls.push('close'),
  }
}
