import { describe, expect, it } from 'vitest'
import type { BrokerConfig, VhostConfig } from './broker-config.js'
import { createWorkerBrokerConfig } from './create-worker-broker-config.js'
import { workQueueNames } from './names.js'
import { topologyOf } from './topology.js'

const options = {
  queue: 'chat.messages',
  urls: ['amqp://chat:secret@rabbit/mono'],
  prefetch: 50,
  topologyMode: 'declare',
  connectionName: 'chat-worker',
} as const

const backoff = { min: 100, max: 3000, factor: 2, strategy: 'exponential' }

describe('the work connection of a worker', () => {
  it('subscribes to the work queue and leaves bodies unparsed', () => {
    expect(entry('work').subscriptions).toEqual({
      'chat.messages': {
        queue: 'chat.messages',
        contentType: 'application/octet-stream',
        prefetch: 50,
        retry: backoff,
        redeliveries: { counter: 'stub' },
      },
    })
  })

  it('declares everything the worker uses', () => {
    const work = entry('work')

    expect(duties(work)).toEqual({
      messages: 'declare',
      'dead-letter': 'declare',
      realtime: 'declare',
      'chat.messages.retry': 'declare',
    })
    expectOwnPartsDeclared(work)
  })

  it('only checks the shared exchanges when told to, and still declares what is its own', () => {
    const work = entry('work', createWorkerBrokerConfig({ ...options, topologyMode: 'check' }))

    expect(duties(work)).toEqual({
      messages: 'check',
      'dead-letter': 'check',
      realtime: 'check',
      'chat.messages.retry': 'declare',
    })
    expectOwnPartsDeclared(work)
  })
})

describe('the recovery connection of a worker', () => {
  it('has a confirmed, mandatory, persistent publication for each retry step and for the dead-letter queue', () => {
    const common = { confirm: true, timeout: 300_000, options: { persistent: true, mandatory: true } }

    expect(entry('recovery').publications).toEqual({
      'chat.messages.retry.1s': { exchange: 'chat.messages.retry', routingKey: '1s', ...common },
      'chat.messages.retry.5s': { exchange: 'chat.messages.retry', routingKey: '5s', ...common },
      'chat.messages.dlq': { exchange: 'dead-letter', routingKey: 'chat.messages', ...common },
    })
  })

  it('declares and checks nothing', () => {
    const recovery = entry('recovery')

    expect(duties(recovery)).toEqual({ 'dead-letter': 'know', 'chat.messages.retry': 'know' })
    expect(recovery).toMatchObject({ queues: {}, bindings: {}, subscriptions: {} })
  })

  it('never gives up waiting for a channel, and opens no more of them than there can be messages in hand', () => {
    const poolWith = (prefetch: number) =>
      entry('recovery', createWorkerBrokerConfig({ ...options, prefetch })).publicationChannelPools?.confirmPool

    expect(poolWith(1)).toEqual({ max: 1, acquireTimeoutMillis: 0 })
    expect(poolWith(1000)).toEqual({ max: 20, acquireTimeoutMillis: 0 })
  })

  it('goes to the same place as the work connection', () => {
    const { work, recovery } = createWorkerBrokerConfig(options).vhosts

    expect(recovery?.connections.map(({ url }) => url)).toEqual(['amqp://rabbit/mono'])
    expect(work?.connections.map(({ url }) => url)).toEqual(['amqp://rabbit/mono'])
  })
})

describe('createWorkerBrokerConfig', () => {
  it('names nothing in bindings and publications that is not in the same entry', () => {
    for (const queue of workQueueNames) {
      for (const { exchanges, queues, bindings, publications } of Object.values(
        createWorkerBrokerConfig({ ...options, queue }).vhosts,
      )) {
        for (const { source, destination } of Object.values(bindings)) {
          expect(exchanges).toHaveProperty([source])
          expect(queues).toHaveProperty([destination])
        }
        for (const { exchange } of Object.values(publications)) expect(exchanges).toHaveProperty([exchange])
      }
    }
  })

  it('makes a fresh object on each call, in all its depth', () => {
    const untouched = describeDeeply(createWorkerBrokerConfig(options))
    spoilDeeply(createWorkerBrokerConfig(options))

    expect(describeDeeply(createWorkerBrokerConfig(options))).toBe(untouched)
  })

  it.each([0, -1, 1.5, 65_536, Number.NaN])('refuses a prefetch of %d', (prefetch) => {
    expect(() => createWorkerBrokerConfig({ ...options, prefetch })).toThrow(
      `Expected a prefetch from 1 to 65535, found ${prefetch}.`,
    )
  })
})

function entry(name: string, config: BrokerConfig = createWorkerBrokerConfig(options)): VhostConfig {
  const found = config.vhosts[name]
  if (found === undefined) throw new Error(`The configuration has no entry '${name}'.`)
  return found
}

function duties({ exchanges }: VhostConfig): Record<string, string> {
  return Object.fromEntries(
    Object.entries(exchanges).map(([name, { assert, check }]) => [name, assert ? 'declare' : check ? 'check' : 'know']),
  )
}

function expectOwnPartsDeclared(work: VhostConfig) {
  const topology = topologyOf('chat.messages')
  const queues = Object.entries(work.queues).map(([name, { assert, options }]) => ({ name, assert, ...options }))

  expect(queues).toEqual(topology.queues.map((queue) => ({ ...queue, assert: true })))
  expect(Object.values(work.bindings)).toEqual(
    topology.bindings.map((binding) => ({ ...binding, destinationType: 'queue' })),
  )
}

function describeDeeply(value: unknown): string {
  return JSON.stringify(value)
}

function spoilDeeply(value: unknown): void {
  if (typeof value !== 'object' || value === null) return
  for (const [key, part] of Object.entries(value)) {
    spoilDeeply(part)
    Reflect.set(value, key, 'spoiled')
  }
  Reflect.set(value, 'spoiled', true)
}
