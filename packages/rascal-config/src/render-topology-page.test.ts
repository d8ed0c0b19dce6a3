import { expect, it } from 'vitest'
import { renderTopologyPage } from './render-topology-page.js'
import { createTopology } from './topology.js'

const page = renderTopologyPage(createTopology())

it('says by which command it is generated', () => {
  expect(page).toContain('`npm run generate`')
})

it('lists a work queue with its limits in human units', () => {
  expect(page).toContain('| `audit.events` | quorum | 7 days | 500,000 | 20 | `dead-letter` with `audit.events` |')
})

it('lists the retry plan of a work queue', () => {
  expect(page).toContain(
    '| `email.notifications` | 3 | 1 minute in `email.notifications.retry.60s`<br>15 minutes in `email.notifications.retry.15m` |',
  )
})

it('draws each exchange but dead-letter and each queue once, and one subgraph per worker', () => {
  const nodes = page.match(/^ +(exchange|queue)_\w+(\{\{|\[\().*$/gm) ?? []

  expect(nodes.map((node) => node.split('"')[1]).sort()).toEqual(
    [...createTopology().exchanges, ...createTopology().queues]
      .map(({ name }) => name)
      .filter((name) => name !== 'dead-letter')
      .sort(),
  )
  expect(page.match(/^ {2}subgraph /gm)).toHaveLength(4)
})

it('draws no arrow from or to something that it does not show', () => {
  const nodes = new Set(page.match(/\b(exchange|queue)_\w+(?=\{\{|\[\()/g))
  const ends = (page.match(/^ +\w+ -.*$/gm) ?? []).flatMap((arrow) => arrow.match(/\b(exchange|queue)_\w+/g) ?? [])

  expect(ends.length).toBeGreaterThan(0)
  expect(ends.filter((end) => !nodes.has(end))).toEqual([])
})
