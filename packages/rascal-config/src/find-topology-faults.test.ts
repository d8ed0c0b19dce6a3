import { describe, expect, it } from 'vitest'
import { findTopologyFaults } from './find-topology-faults.js'
import { workQueueNames } from './names.js'
import { createTopology, topologyOf } from './topology.js'
import type { QueueArguments, QueueDefinition, Topology } from './topology-types.js'
import type { WorkQueue } from './work-queues.js'
import { workQueues } from './work-queues.js'

describe('findTopologyFaults', () => {
  it('finds nothing wrong with the whole topology, nor with that of any worker', () => {
    expect(findTopologyFaults(createTopology())).toEqual([])
    for (const name of workQueueNames) expect(findTopologyFaults(topologyOf(name))).toEqual([])
  })

  it('refuses a work queue that dead-letters nowhere', () => {
    const topology = createTopology()
    delete argumentsOf(topology, 'chat.messages')['x-dead-letter-exchange']

    expect(findTopologyFaults(topology)).toEqual([
      "Work queue 'chat.messages' dead-letters nowhere: set x-dead-letter-exchange.",
    ])
  })

  it('refuses a work queue without its dead-letter queue', () => {
    const topology = without('audit.events.dlq')

    expect(findTopologyFaults(topology)).toContain(
      "Work queue 'audit.events' has no dead-letter queue: 'audit.events.dlq' does not exist.",
    )
  })

  it('refuses a work queue without one of its retry queues', () => {
    const topology = without('email.notifications.retry.15m')

    expect(findTopologyFaults(topology)).toContain(
      "Work queue 'email.notifications' has no retry queue for 15m: 'email.notifications.retry.15m' does not exist.",
    )
  })

  it('refuses a retry queue with another delay than its step', () => {
    const topology = createTopology()
    argumentsOf(topology, 'audit.events.retry.60s')['x-message-ttl'] = 50_000

    expect(findTopologyFaults(topology)).toEqual([
      "Retry queue 'audit.events.retry.60s' holds messages for 50000 ms, expected 60000 ms.",
    ])
  })

  it('refuses a retry queue that never lets go', () => {
    const topology = createTopology()
    delete argumentsOf(topology, 'audit.events.retry.60s')['x-message-ttl']

    expect(findTopologyFaults(topology)).toEqual([
      "Retry queue 'audit.events.retry.60s' holds messages for ever, expected 60000 ms.",
    ])
  })

  it('refuses a work queue of strict order that several consumers would share', () => {
    const topology = createTopology()
    delete argumentsOf(topology, 'chat.messages')['x-single-active-consumer']

    expect(findTopologyFaults(topology)).toEqual([
      "Work queue 'chat.messages' cannot keep its order: set x-single-active-consumer.",
    ])
  })

  it('refuses a binding from an exchange that does not exist', () => {
    const topology = createTopology()
    topology.bindings.push({ source: 'nowhere', destination: 'chat.messages', bindingKey: '#' })

    expect(findTopologyFaults(topology)).toEqual([
      "The binding 'nowhere' --(#)--> 'chat.messages' comes from an exchange that does not exist.",
    ])
  })

  it('refuses a binding to a queue that does not exist', () => {
    const topology = createTopology()
    topology.bindings.push({ source: 'realtime', destination: 'nowhere', bindingKey: '#' })

    expect(findTopologyFaults(topology)).toEqual([
      "The binding 'realtime' --(#)--> 'nowhere' goes to a queue that does not exist.",
    ])
  })

  it('refuses two queues that are named alike', () => {
    const topology = createTopology()
    topology.queues.push({ name: 'Chat.Messages', durable: true, arguments: { 'x-queue-type': 'quorum' } })

    expect(findTopologyFaults(topology)).toEqual(["Two queues are named alike: 'Chat.Messages'."])
  })

  it('refuses two exchanges that are named alike', () => {
    const topology = createTopology()
    topology.exchanges.push({ name: 'audit', type: 'topic', durable: true, arguments: {} })

    expect(findTopologyFaults(topology)).toEqual(["Two exchanges are named alike: 'audit'."])
  })

  it('refuses a dead-letter exchange that does not exist', () => {
    const topology = createTopology()
    argumentsOf(topology, 'push.notifications.retry.10s')['x-dead-letter-exchange'] = 'nowhere'

    expect(findTopologyFaults(topology)).toEqual([
      "Queue 'push.notifications.retry.10s' dead-letters to exchange 'nowhere', which does not exist.",
    ])
  })

  it('refuses a dead-letter routing key that leads to no queue', () => {
    const topology = createTopology()
    topology.bindings = topology.bindings.filter(({ destination }) => destination !== 'chat.messages.dlq')

    expect(findTopologyFaults(topology)).toEqual([
      "Queue 'chat.messages' dead-letters to 'dead-letter' with 'chat.messages', which leads to no queue.",
    ])
  })

  it('refuses a queue that dead-letters with whatever routing key its messages have', () => {
    const topology = createTopology()
    delete argumentsOf(topology, 'audit.events')['x-dead-letter-routing-key']

    expect(findTopologyFaults(topology)).toEqual([
      "Queue 'audit.events' dead-letters to 'dead-letter' without a routing key of its own.",
    ])
  })

  it('refuses a queue that dead-letters at most once', () => {
    const topology = createTopology()
    delete argumentsOf(topology, 'audit.events')['x-dead-letter-strategy']

    expect(findTopologyFaults(topology)).toEqual([
      "Queue 'audit.events' dead-letters at most once: set x-dead-letter-strategy to at-least-once.",
    ])
  })

  it('refuses a queue whose overflow behaviour rules out dead-lettering at least once', () => {
    const topology = createTopology()
    delete argumentsOf(topology, 'audit.events')['x-overflow']

    expect(findTopologyFaults(topology)).toEqual([
      "Queue 'audit.events' cannot dead-letter at least once: set x-overflow to reject-publish.",
    ])
  })

  it('refuses a routing key of a message type that leads to no queue', () => {
    const topology = createTopology()
    for (const binding of topology.bindings) if (binding.bindingKey === 'email.*') binding.bindingKey = 'email.send'

    expect(findTopologyFaults(topology)).toEqual([
      "Routing key 'email.template' on 'notifications' leads to no queue, expected 'email.notifications' alone.",
    ])
  })

  it('refuses a message that would be handled by two workers', () => {
    const topology = createTopology()
    topology.bindings.push({ source: 'audit', destination: 'chat.messages', bindingKey: '#.track' })

    expect(findTopologyFaults(topology)).toEqual([
      "Routing key 'audit.track' on 'audit' leads to 'audit.events' and 'chat.messages', expected 'audit.events' alone.",
    ])
  })

  it('refuses retry steps that do not ascend', () => {
    const retrySteps = workQueues['chat.messages'].retrySteps.toReversed()

    expect(findTopologyFaults(createTopology(), [planWith({ retrySteps })])).toEqual([
      "The steps of 'chat.messages' are 5000, 1000 ms, expected ascending delays above 0.",
    ])
  })

  it('refuses a step for giving way that is longer than a retry step', () => {
    const giveWayStep = { name: '60s', delayMs: 60_000 }

    expect(findTopologyFaults(createTopology(), [planWith({ giveWayStep })])).toEqual([
      "The steps of 'chat.messages' are 60000, 1000, 5000 ms, expected ascending delays above 0.",
    ])
  })

  it('refuses fewer retry steps than there are retries', () => {
    expect(findTopologyFaults(createTopology(), [planWith({ maxAttempts: 4 })])).toEqual([
      "Work queue 'chat.messages' has 2 retry steps, expected at least 3 for 4 attempts.",
    ])
  })
})

function planWith(change: Partial<WorkQueue>): WorkQueue {
  return { ...workQueues['chat.messages'], ...change }
}

function without(queue: string): Topology {
  const topology = createTopology()
  topology.queues = topology.queues.filter(({ name }) => name !== queue)
  return topology
}

function argumentsOf(topology: Topology, name: string): QueueArguments {
  return find(topology.queues, name).arguments
}

function find(queues: QueueDefinition[], name: string): QueueDefinition {
  const queue = queues.find((candidate) => candidate.name === name)
  if (queue === undefined) throw new Error(`The topology has no queue '${name}'.`)
  return queue
}
