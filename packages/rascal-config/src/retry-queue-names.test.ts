import { expect, it } from 'vitest'
import { workQueueNames } from './names.js'
import { retryQueueNames } from './retry-queue-names.js'
import { topologyOf } from './topology.js'

it.each(workQueueNames)('names the retry queues of %s that the topology has, and no others', (queue) => {
  const names = topologyOf(queue).queues.map(({ name }) => name)
  expect(retryQueueNames(queue)).toEqual(names.filter((name) => name.startsWith(`${queue}.retry.`)))
})
