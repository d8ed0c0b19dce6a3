import { expect, it } from 'vitest'
import { createTopologyBrokerConfig } from './create-topology-broker-config.js'
import { createTopology } from './topology.js'

const options = { urls: ['amqp://rabbit/mono'], connectionName: 'setup' }

it('declares every exchange, queue and binding of the topology, and consumes nothing', () => {
  const topology = createTopology()
  const { topology: entry } = createTopologyBrokerConfig({ ...options, topology }).vhosts

  const exchanges = Object.entries(entry?.exchanges ?? {}).map(([name, { assert, type, options }]) => ({
    ...{ name, assert, type },
    ...options,
  }))
  expect(exchanges).toEqual(topology.exchanges.map((exchange) => ({ ...exchange, assert: true })))
  expect(Object.keys(entry?.queues ?? {})).toEqual(topology.queues.map(({ name }) => name))
  expect(Object.keys(entry?.bindings ?? {})).toHaveLength(topology.bindings.length)
  expect(entry?.subscriptions).toEqual({})
})

it('shares nothing with the topology it was given', () => {
  const topology = createTopology()
  const config = createTopologyBrokerConfig({ ...options, topology })
  for (const { options } of Object.values(config.vhosts.topology?.queues ?? {})) options.arguments['x-max-length'] = 1
  for (const { options } of Object.values(config.vhosts.topology?.exchanges ?? {})) options.arguments.spoiled = 1

  expect(topology).toEqual(createTopology())
})
