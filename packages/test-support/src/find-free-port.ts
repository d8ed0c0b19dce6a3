import { randomInt } from 'node:crypto'
import { createServer } from 'node:net'

const mostAttempts = 100

/**
 * A port for a process that is about to be started. It is none of those that systems give to outgoing connections and to
 * whoever listens on port 0 (from 32768 on Linux), since any of them may be taken before the process is there.
 */
export function findFreePort(): number {
  for (let attempt = 0; attempt < mostAttempts; attempt += 1) {
    const port = randomInt(10_000, 30_000)
    if (isFree(port)) return port
  }
  throw new Error('Expected a free TCP port between 10000 and 29999, found none')
}

/** Listening without a host binds at once, so the answer is known without waiting. */
function isFree(port: number): boolean {
  const server = createServer()
    .on('error', () => undefined)
    .listen(port)
  const isListening = server.address() !== null
  server.close()
  return isListening
}
