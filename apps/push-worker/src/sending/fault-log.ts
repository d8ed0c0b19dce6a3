import type { Logger } from '@mono/message-queue'

/** Tells people of faults that many devices run into, without a line for each of them. */
export interface FaultLog {
  /** Writes an error line, unless there was one of this code within the hour. */
  report(code: string, data: object, message: string): void
  /** It is over: the next time is worth a line again. */
  end(code: string): void
}

export interface FaultLogOptions {
  logger: Logger
  /** Milliseconds of a clock that never goes back. */
  now?: () => number
}

const silenceMs = 60 * 60 * 1000

export function createFaultLog({ logger, now = () => performance.now() }: FaultLogOptions): FaultLog {
  const reportedAt = new Map<string, number>()
  return {
    report(code, data, message) {
      const isSilent = now() < (reportedAt.get(code) ?? Number.NEGATIVE_INFINITY) + silenceMs
      if (isSilent) return
      reportedAt.set(code, now())
      logger.error({ code, ...data }, message)
    },
    end(code) {
      reportedAt.delete(code)
    },
  }
}
