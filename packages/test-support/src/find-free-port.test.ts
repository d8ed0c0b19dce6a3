import { once } from 'node:events'
import { createServer } from 'node:net'
import { afterEach, expect, test, vi } from 'vitest'
import { findFreePort } from './find-free-port.js'

const { randomInt } = vi.hoisted(() => ({ randomInt: vi.fn<(min: number, max: number) => number>() }))
vi.mock('node:crypto', () => ({ randomInt }))

afterEach(() => {
  randomInt.mockReset()
})

test('a port that somebody listens on is passed over', async () => {
  const server = createServer().listen(0)
  await once(server, 'listening')
  const { port: taken } = server.address() as { port: number }
  randomInt.mockReturnValueOnce(taken).mockReturnValueOnce(taken).mockReturnValueOnce(0)
  expect(findFreePort()).toBe(0)
  server.close()
  await once(server, 'close')
})
