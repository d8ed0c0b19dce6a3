import { type TestVhost, test, waitFor } from '@mono/test-support'
import { describe, expect } from 'vitest'
import { createTopology, type Topology, workQueues } from '../src/index.js'
import { callManagement, importDefinitions } from './management.js'

describe('the definitions file', () => {
  test('makes a broker have exactly the topology', async ({ vhost }) => {
    await importDefinitions(vhost)

    expect(await listTopology(vhost)).toEqual(sorted(createTopology()))
  })

  test('changes nothing when it is imported again, as at each start of the broker', async ({ vhost }) => {
    await importDefinitions(vhost)
    await importDefinitions(vhost)

    expect(await listTopology(vhost)).toEqual(sorted(createTopology()))
  })

  test('agrees with what a client declares', async ({ vhost }) => {
    const { exchanges, queues, bindings } = createTopology()
    await importDefinitions(vhost)

    await vhost.withChannel(async (channel) => {
      for (const { name, type, ...options } of exchanges) await channel.assertExchange(name, type, options)
      for (const { name, ...options } of queues) await channel.assertQueue(name, options)
      for (const { source, destination, bindingKey } of bindings) {
        await channel.bindQueue(destination, source, bindingKey)
      }
    })

    expect(await listTopology(vhost)).toEqual(sorted(createTopology()))
  })

  test('has the broker limit the work queues in bytes', async ({ vhost }) => {
    await importDefinitions(vhost)
    for (const { name, maxLengthBytes } of Object.values(workQueues)) {
      const readLimits = async () => {
        const queue = (await callManagement(vhost, 'GET', `queues/${vhost.name}/${name}`)) as { policy?: string }
        return queue.policy === `${name}.bytes` && queue
      }
      const queue = await waitFor(readLimits, { what: `the policy of ${name}` })
      expect(queue).toMatchObject({ effective_policy_definition: { 'max-length-bytes': maxLengthBytes } })
    }
  })

  test('lets a message go to its work queue, to a retry queue, and back when the delay is over', async ({ vhost }) => {
    await importDefinitions(vhost)

    await vhost.publish('audit', 'audit.track', 'hello')
    const [first] = await vhost.drainQueue('audit.events', 1)
    expect(first).toMatchObject({ exchange: 'audit', routingKey: 'audit.track' })

    await vhost.publish('audit.events.retry', '10s', 'hello again')
    const [second] = await vhost.drainQueue('audit.events', 1, { timeoutMs: 20_000 })
    expect(second).toMatchObject({ exchange: 'audit.events.retry', routingKey: 'work' })
    expect(String(second?.body)).toBe('hello again')
    expect(second?.headers['x-death']).toMatchObject([{ queue: 'audit.events.retry.10s', reason: 'expired' }])
  })

  test('lets what a consumer rejects go to the dead-letter queue of its own work queue', async ({ vhost }) => {
    await importDefinitions(vhost)

    await vhost.publish('notifications', 'email.send', 'refused')
    await vhost.withChannel(async (channel) => {
      const message = await channel.get('email.notifications')
      if (message) channel.reject(message, false)
    })

    const [dead] = await vhost.drainQueue('email.notifications.dlq', 1)
    expect(dead).toMatchObject({ exchange: 'dead-letter', routingKey: 'email.notifications' })
    expect(await vhost.countMessages('push.notifications.dlq')).toBe(0)
  })
})

async function listTopology(vhost: TestVhost): Promise<Topology> {
  const definitions = await callManagement(vhost, 'GET', `definitions/${encodeURIComponent(vhost.name)}`)
  const { exchanges, queues, bindings } = definitions as ExportedDefinitions
  return sorted({
    exchanges: exchanges.map(({ name, type, durable, arguments: args }) => ({ name, type, durable, arguments: args })),
    queues: queues.map(({ name, durable, arguments: args }) => ({ name, durable, arguments: args })),
    bindings: bindings.map(({ source, destination, routing_key }) => ({
      source,
      destination,
      bindingKey: routing_key,
    })),
  })
}

type ExportedDefinitions = Pick<Topology, 'exchanges' | 'queues'> & {
  bindings: { source: string; destination: string; routing_key: string }[]
}

/** Order means nothing to the broker, which lists things in one of its own. */
function sorted({ exchanges, queues, bindings }: Topology): Topology {
  const byText = <T>(items: T[], textOf: (item: T) => string) =>
    items.toSorted((a, b) => textOf(a).localeCompare(textOf(b)))
  return {
    exchanges: byText(exchanges, ({ name }) => name),
    queues: byText(queues, ({ name }) => name),
    bindings: byText(bindings, ({ source, destination, bindingKey }) => `${source} ${destination} ${bindingKey}`),
  }
}
