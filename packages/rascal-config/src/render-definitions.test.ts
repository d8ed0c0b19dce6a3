import { expect, it } from 'vitest'
import { renderDefinitions } from './render-definitions.js'
import { createTopology } from './topology.js'
import { workQueues } from './work-queues.js'

const text = renderDefinitions(createTopology())
const definitions = JSON.parse(text)

it('holds topology only: no users, passwords or permissions', () => {
  expect(Object.keys(definitions)).toEqual(['vhosts', 'exchanges', 'queues', 'bindings', 'policies'])
  expect(definitions.vhosts).toEqual([{ name: 'mono' }])
})

it('places everything in the virtual host', () => {
  const all = [...definitions.exchanges, ...definitions.queues, ...definitions.bindings, ...definitions.policies]

  expect(all).toHaveLength(8 + 16 + 19 + 5)
  expect(new Set(all.map(({ vhost }) => vhost))).toEqual(new Set(['mono']))
})

it('refers only to exchanges and queues that are in the file', () => {
  const exchanges = definitions.exchanges.map(({ name }: { name: string }) => name)
  const queues = definitions.queues.map(({ name }: { name: string }) => name)

  for (const { source, destination } of definitions.bindings) {
    expect(exchanges).toContain(source)
    expect(queues).toContain(destination)
  }
  for (const queue of definitions.queues) {
    const exchange = queue.arguments['x-dead-letter-exchange']
    if (exchange !== undefined) expect(exchanges).toContain(exchange)
  }
})

it('limits each work queue in bytes, and no other queue; its other policy is for none of them', () => {
  const queues: string[] = definitions.queues.map(({ name }: { name: string }) => name)
  const [browsers, ...others] = definitions.policies.toReversed()
  expect(queues.filter((queue) => new RegExp(browsers.pattern).test(queue))).toEqual([])
  for (const { name, pattern, definition } of others) {
    const plan = Object.values(workQueues).find((each) => name === `${each.name}.bytes`)
    expect(queues.filter((queue) => new RegExp(pattern).test(queue))).toEqual([plan?.name])
    expect(definition).toEqual({ 'max-length-bytes': plan?.maxLengthBytes })
  }
})

it('is written with two spaces and a newline at the end, the same on each call', () => {
  expect(text).toMatch(/^\{\n {2}"vhosts": \[\n/)
  expect(text).toMatch(/[^\n]\n$/)
  expect(renderDefinitions(createTopology())).toBe(text)
})
