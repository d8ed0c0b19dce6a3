import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** A Python that has pika, an AMQP client; undefined without one. Debian's is for its own, which need not be the first on the PATH. */
export async function findPython(): Promise<string | undefined> {
  for (const python of ['python3', '/usr/bin/python3']) {
    try {
      await run(python, ['-c', 'import pika'])
      return python
    } catch {}
  }
  return undefined
}
