import { describe, expect, it } from 'vitest'
import type { BrokerConfig, VhostConfig } from './broker-config.js'
import { createForwardConfig, createTopologyConfig } from './create-rascal-configs.js'
import { workQueueNames } from './names.js'
import { topologyOf } from './topology.js'

const options = {
  queue: 'audit.events',
  urls: ['amqp://audit:secret@rabbit/mono'],
  topologyMode: 'declare',
  maxChannels: 20,
  connectionName: 'audit-worker',
  signal: new AbortController().signal,
} as const

describe('createTopologyConfig', () => {
  it('declares everything the worker uses', () => {
    const entry = entryOf(createTopologyConfig(options))

    expect(duties(entry)).toEqual({
      audit: 'declare',
      'dead-letter': 'declare',
      'audit.events.retry': 'declare',
    })
    expectOwnPartsDeclared(entry)
  })

  it('only checks the shared exchanges when told to, and still declares what is its own', () => {
    const entry = entryOf(createTopologyConfig({ ...options, topologyMode: 'check' }))

    expect(duties(entry)).toEqual({
      audit: 'check',
      'dead-letter': 'check',
      'audit.events.retry': 'declare',
    })
    expectOwnPartsDeclared(entry)
  })
})

describe('createForwardConfig', () => {
  it('has a confirmed, mandatory, persistent publication for each retry step and for the dead-letter queue', () => {
    const common = { confirm: true, timeout: 300_000, options: { persistent: true, mandatory: true } }

    expect(entryOf(createForwardConfig(options)).publications).toEqual({
      'audit.events.retry.10s': { exchange: 'audit.events.retry', routingKey: '10s', ...common },
      'audit.events.retry.60s': { exchange: 'audit.events.retry', routingKey: '60s', ...common },
      'audit.events.dlq': { exchange: 'dead-letter', routingKey: 'audit.events', ...common },
    })
  })

  it('has none for the retries of a queue that keeps its order', () => {
    const { publications } = entryOf(createForwardConfig({ ...options, queue: 'chat.messages' }))

    expect(Object.keys(publications)).toEqual(['chat.messages.dlq'])
  })

  it('declares and checks nothing', () => {
    const entry = entryOf(createForwardConfig(options))

    expect(duties(entry)).toEqual({ 'dead-letter': 'know', 'audit.events.retry': 'know' })
    expect(entry).toMatchObject({ queues: {}, bindings: {} })
  })

  it('lets a copy wait for a channel without end, and opens no more of them than it is told', () => {
    const { confirmPool } = entryOf(createForwardConfig({ ...options, maxChannels: 7 })).publicationChannelPools ?? {}

    expect(confirmPool).toEqual({ max: 7, acquireTimeoutMillis: 0, evictionRunIntervalMillis: 0 })
  })
})

describe.each([
  ['createTopologyConfig', createTopologyConfig],
  ['createForwardConfig', createForwardConfig],
] as const)('%s', (_name, create) => {
  it('names nothing in bindings and publications that is not in the same entry', () => {
    for (const queue of workQueueNames) {
      const { exchanges, queues, bindings, publications } = entryOf(create({ ...options, queue }))
      for (const { source, destination } of Object.values(bindings)) {
        expect(exchanges).toHaveProperty([source])
        expect(queues).toHaveProperty([destination])
      }
      for (const { exchange } of Object.values(publications)) expect(exchanges).toHaveProperty([exchange])
    }
  })

  it('makes a fresh object on each call, in all its depth', () => {
    const untouched = JSON.stringify(create(options))
    spoilDeeply(create(options))

    expect(JSON.stringify(create(options))).toBe(untouched)
  })

  it('goes where the URL says, does not connect again by itself, and ends with the signal', () => {
    const { connections, defaults } = entryOf(create(options))

    expect(connections.map(({ url }) => url)).toEqual(['amqp://rabbit/mono'])
    expect(connections[0]?.socketOptions.signal).toBe(options.signal)
    expect(defaults).toEqual({ connection: { retry: false } })
  })
})

function entryOf(config: BrokerConfig): VhostConfig {
  const [entry] = Object.values(config.vhosts)
  if (entry === undefined) throw new Error('The configuration has no entry.')
  return entry
}

function duties({ exchanges }: VhostConfig): Record<string, string> {
  return Object.fromEntries(
    Object.entries(exchanges).map(([name, { assert, check }]) => [name, assert ? 'declare' : check ? 'check' : 'know']),
  )
}

function expectOwnPartsDeclared(work: VhostConfig) {
  const topology = topologyOf('audit.events')
  const queues = Object.entries(work.queues).map(([name, { assert, options }]) => ({ name, assert, ...options }))

  expect(queues).toEqual(topology.queues.map((queue) => ({ ...queue, assert: true })))
  expect(Object.values(work.bindings)).toEqual(
    topology.bindings.map((binding) => ({ ...binding, destinationType: 'queue' })),
  )
}

function spoilDeeply(value: unknown): void {
  if (typeof value !== 'object' || value === null || value instanceof AbortSignal) return
  for (const [key, part] of Object.entries(value)) {
    spoilDeeply(part)
    Reflect.set(value, key, 'spoiled')
  }
  Reflect.set(value, 'spoiled', true)
}
