import { createServer } from 'node:net'

/** Listening without a host binds at once, so the address is known without waiting. */
export function findFreePort(): number {
  const server = createServer().listen(0)
  const address = server.address()
  server.close()
  if (typeof address !== 'object' || !address) throw new Error('Expected a free TCP port, found none')
  return address.port
}
