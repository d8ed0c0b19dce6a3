import { sleep } from '@mono/waiting'

const againEveryMs = 10_000
/** Tries under way, each of which may be a connection that the server has forgotten. */
const atOnce = 6

/**
 * Tries a server until the first try has ended. One that takes long is waited for, as those who send wait; another one is
 * begun beside it every ten seconds, because the server may be well by then and have forgotten the first.
 *
 * @throws what the first try to end throws
 */
export async function probeSmtpServer(
  verify: (signal: AbortSignal) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  const ended = new AbortController()
  const onAbort = () => ended.abort(new Error('The probe was ended'))
  signal.addEventListener('abort', onAbort, { once: true })
  const tries: Promise<boolean>[] = []
  try {
    for (let isDone = false; !isDone; ) {
      if (tries.length < atOnce) tries.push(verify(ended.signal).then(() => true))
      isDone = await Promise.race([...tries, sleep(againEveryMs, ended.signal).then(() => false)])
      signal.throwIfAborted()
    }
  } finally {
    signal.removeEventListener('abort', onAbort)
    ended.abort()
  }
}
