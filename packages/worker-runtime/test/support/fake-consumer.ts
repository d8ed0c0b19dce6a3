import type { Consumer, ConsumerState } from '@mono/message-queue'

export interface FakeConsumer extends Consumer {
  /** A change is told to the listeners. */
  state: ConsumerState
  onState(listener: (state: ConsumerState) => void): () => void
  inFlight: number
  failure: Error | undefined
  /** What was called, in order. */
  readonly calls: string[]
  /** Lets a pending `drain` resolve. */
  finish(): void
  fail(error: Error): void
}

/** A consumer whose deliveries in flight are finished by the test; without any, `drain` resolves at once. */
export function createFakeConsumer({ inFlight = 0 }: { inFlight?: number } = {}): FakeConsumer {
  const calls: string[] = []
  let settle: { resolve(): void; reject(error: Error): void } | undefined
  const stopped = new Promise<void>((resolve, reject) => {
    settle = { resolve, reject }
  })
  stopped.catch(() => {})
  const listeners = new Set<(state: ConsumerState) => void>()
  let current: ConsumerState = 'consuming'

  function end(consumer: FakeConsumer): void {
    consumer.inFlight = 0
    consumer.state = 'stopped'
    settle?.resolve()
  }

  return {
    queue: 'audit.events',
    get state() {
      return current
    },
    set state(next) {
      if (next === current) return
      current = next
      for (const listener of listeners) listener(next)
    },
    mode: 'normal',
    stalls: 0,
    isActive: true,
    inFlight,
    failure: undefined,
    stopped,
    calls,
    onState(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    finish() {
      end(this)
    },
    fail(error) {
      this.state = 'failed'
      this.failure = error
      settle?.reject(error)
    },
    pause() {
      calls.push('pause')
      this.state = 'paused'
    },
    resume() {
      calls.push('resume')
      this.state = 'consuming'
    },
    drain() {
      calls.push('drain')
      if (this.state === 'failed') return Promise.resolve()
      this.state = 'draining'
      if (this.inFlight === 0) end(this)
      return stopped
    },
    async close() {
      calls.push('close')
      end(this)
    },
  }
}
