import type { Logger } from '@mono/message-queue'

export interface StartRetentionOptions {
  /** Resolves with false if there is more to do, or somebody else is at it. */
  keep(signal: AbortSignal): Promise<boolean>
  logger: Logger
}

export interface Retention {
  stop(): void
}

const hourMs = 60 * 60 * 1000
const dayMs = 24 * hourMs

/** Keeps to the retention now and once a day; after a failure, and while there is more to do, once an hour. */
export function startRetention({ keep, logger }: StartRetentionOptions): Retention {
  const stopping = new AbortController()
  const { signal } = stopping
  let timer: NodeJS.Timeout | undefined
  const run = async () => {
    let isDone = false
    try {
      isDone = await keep(signal)
    } catch (error) {
      if (!signal.aborted) logger.warn({ err: error }, 'Months before the retention could not be dropped')
    }
    if (!signal.aborted) timer = setTimeout(() => void run(), isDone ? dayMs : hourMs).unref()
  }
  void run()
  return {
    stop() {
      stopping.abort()
      clearTimeout(timer)
    },
  }
}
