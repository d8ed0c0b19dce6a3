import { describe, expect, it } from 'vitest'
import { workQueueNames } from './names.js'
import { createTopology, topologyOf } from './topology.js'

describe('the topology', () => {
  it('has eight durable topic exchanges', () => {
    expect(createTopology().exchanges).toEqual(
      [
        'messages',
        'notifications',
        'audit',
        'realtime',
        'dead-letter',
        'push.notifications.retry',
        'email.notifications.retry',
        'audit.events.retry',
      ].map((name) => ({ name, type: 'topic', durable: true, arguments: {} })),
    )
  })

  // Brokers hold queues with these arguments, and refuse a declaration that differs in any of them.
  it('has a work queue, its retry queues (but for chat, which keeps its order) and a dead-letter queue per worker, with fixed arguments', () => {
    expect(createTopology().queues).toEqual([
      work('chat.messages', {
        'x-message-ttl': 86_400_000,
        'x-max-length': 100_000,
        'x-single-active-consumer': true,
      }),
      deadLetters('chat.messages.dlq'),
      work('push.notifications', { 'x-message-ttl': 3_600_000, 'x-max-length': 50_000 }),
      retry('push.notifications.retry.1s', 1_000, 'push.notifications.retry'),
      retry('push.notifications.retry.10s', 10_000, 'push.notifications.retry'),
      retry('push.notifications.retry.60s', 60_000, 'push.notifications.retry'),
      deadLetters('push.notifications.dlq'),
      work('email.notifications', { 'x-message-ttl': 3_600_000, 'x-max-length': 25_000 }),
      retry('email.notifications.retry.1s', 1_000, 'email.notifications.retry'),
      retry('email.notifications.retry.60s', 60_000, 'email.notifications.retry'),
      retry('email.notifications.retry.15m', 900_000, 'email.notifications.retry'),
      deadLetters('email.notifications.dlq'),
      work('audit.events', { 'x-message-ttl': 604_800_000, 'x-max-length': 500_000 }),
      retry('audit.events.retry.10s', 10_000, 'audit.events.retry'),
      retry('audit.events.retry.60s', 60_000, 'audit.events.retry'),
      deadLetters('audit.events.dlq'),
    ])
  })

  it('binds work queues by pattern, retry queues by delay and dead-letter queues by the name of the work queue', () => {
    const bindings = createTopology().bindings.map((b) => `${b.source} ${b.bindingKey} ${b.destination}`)

    expect(bindings).toEqual([
      'messages chat.* chat.messages',
      'dead-letter chat.messages chat.messages.dlq',
      'notifications push.* push.notifications',
      'push.notifications.retry 1s push.notifications.retry.1s',
      'push.notifications.retry 10s push.notifications.retry.10s',
      'push.notifications.retry 60s push.notifications.retry.60s',
      'push.notifications.retry work push.notifications',
      'dead-letter push.notifications push.notifications.dlq',
      'notifications email.* email.notifications',
      'email.notifications.retry 1s email.notifications.retry.1s',
      'email.notifications.retry 60s email.notifications.retry.60s',
      'email.notifications.retry 15m email.notifications.retry.15m',
      'email.notifications.retry work email.notifications',
      'dead-letter email.notifications email.notifications.dlq',
      'audit audit.* audit.events',
      'audit.events.retry 10s audit.events.retry.10s',
      'audit.events.retry 60s audit.events.retry.60s',
      'audit.events.retry work audit.events',
      'dead-letter audit.events audit.events.dlq',
    ])
  })

  it('is a fresh object on each call', () => {
    const spoiled = createTopology()
    for (const queue of spoiled.queues) queue.arguments['x-max-length'] = 1
    for (const exchange of spoiled.exchanges) exchange.name = 'spoiled'
    for (const binding of spoiled.bindings) binding.bindingKey = 'spoiled'

    expect(JSON.stringify(createTopology())).not.toContain('spoiled')
    expect(createTopology().queues[0]?.arguments['x-max-length']).toBe(100_000)
  })
})

describe('the topology of one worker', () => {
  it('holds only the exchanges that this worker uses', () => {
    const names = (queue: 'chat.messages' | 'audit.events') => topologyOf(queue).exchanges.map(({ name }) => name)

    expect(names('chat.messages')).toEqual(['messages', 'realtime', 'dead-letter'])
    expect(names('audit.events')).toEqual(['audit', 'dead-letter', 'audit.events.retry'])
  })

  it('together with those of the other workers makes up the whole', () => {
    const parts = workQueueNames.map(topologyOf)
    const whole = createTopology()

    expect(parts.flatMap(({ queues }) => queues)).toEqual(whole.queues)
    expect(parts.flatMap(({ bindings }) => bindings)).toEqual(whole.bindings)
    expect(new Set(parts.flatMap(({ exchanges }) => exchanges.map(({ name }) => name)))).toEqual(
      new Set(whole.exchanges.map(({ name }) => name)),
    )
  })
})

function work(name: string, particular: Record<string, number | boolean>) {
  return {
    name,
    durable: true,
    arguments: {
      'x-queue-type': 'quorum',
      ...particular,
      'x-overflow': 'reject-publish',
      'x-dead-letter-exchange': 'dead-letter',
      'x-dead-letter-routing-key': name,
      'x-dead-letter-strategy': 'at-least-once',
      'x-delivery-limit': 20,
    },
  }
}

function retry(name: string, ttl: number, exchange: string) {
  return {
    name,
    durable: true,
    arguments: {
      'x-queue-type': 'quorum',
      'x-message-ttl': ttl,
      'x-overflow': 'reject-publish',
      'x-dead-letter-exchange': exchange,
      'x-dead-letter-routing-key': 'work',
      'x-dead-letter-strategy': 'at-least-once',
    },
  }
}

function deadLetters(name: string) {
  return { name, durable: true, arguments: { 'x-queue-type': 'quorum', 'x-delivery-limit': 1_000_000 } }
}
