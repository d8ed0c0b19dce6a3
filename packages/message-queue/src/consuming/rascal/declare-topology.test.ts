import { beforeEach, expect, test, vi } from 'vitest'
import { TopologyMismatchError } from '../../errors/topology-mismatch-error.js'
import { declareTopology } from './declare-topology.js'
import type { OpenRascalBrokerOptions } from './rascal-broker.js'

const openBroker = vi.hoisted(() => vi.fn<(options: OpenRascalBrokerOptions) => Promise<{ close(): Promise<void> }>>())
vi.mock('./rascal-broker.js', () => ({ RascalBroker: { open: openBroker } }))

const close = vi.fn()
const { signal } = new AbortController()

beforeEach(() => {
  vi.resetAllMocks()
  openBroker.mockResolvedValue({ close })
})

async function declare(): Promise<void> {
  const urls = ['amqp://localhost:5672/mono']
  await declareTopology({ urls, connectionName: 'test', queue: 'push.notifications', topologyMode: 'declare', signal })
}

test('declares over a connection of its own that is closed again', async () => {
  await declare()
  expect(openBroker).toHaveBeenCalledOnce()
  expect(close).toHaveBeenCalledOnce()
  const [options] = openBroker.mock.calls[0] ?? []
  expect(options?.signal).toBe(signal)
  const socket = new AbortController().signal
  const vhost = options?.createConfig(socket).vhosts.worker
  expect(Object.keys(vhost?.queues ?? {})).toContain('push.notifications')
  expect(JSON.stringify(vhost?.connections)).toContain('test declaring')
  expect(vhost?.connections?.[0]?.socketOptions?.signal).toBe(socket)
})

test('names what exists with other arguments', async () => {
  const refused = Object.assign(
    new Error(
      "PRECONDITION_FAILED - inequivalent arg 'x-max-length' for queue 'push.notifications' in vhost 'mono': received the value '2' of type 'signedint' but current is none",
    ),
    { code: 406 },
  )
  openBroker.mockRejectedValue(refused)
  const error = await declare().catch((thrown: unknown) => thrown)
  expect(error).toBeInstanceOf(TopologyMismatchError)
  expect(error).toMatchObject({ queue: 'push.notifications', argument: 'x-max-length', cause: refused })
})

test('passes every other error on as it is', async () => {
  const away = new Error('connect ECONNREFUSED')
  openBroker.mockRejectedValue(away)
  await expect(declare()).rejects.toBe(away)
})
