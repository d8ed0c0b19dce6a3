import { RetryableError } from '@mono/message-queue'

/** For each of the texts of a mail. */
export const renderLimitMs = 1_000

const maxTries = 3

/**
 * Renders, and tells a template that takes too long from a process that stood still. LiquidJS keeps its limit by the
 * clock, which goes on while the process is stopped or waits for a processor; then it has hardly used one.
 *
 * @throws RetryableError `HANDLER_TIMEOUT` if the process stands still each time; whatever else `render` throws
 */
export function renderInTime(render: () => string): string {
  for (let tries = 1; ; tries += 1) {
    const before = process.cpuUsage()
    try {
      return render()
    } catch (error) {
      const { user, system } = process.cpuUsage(before)
      const isTemplates = (user + system) / 1_000 >= renderLimitMs / 2
      if (isTemplates || !isTimeLimit(error)) throw error
      if (tries === maxTries) {
        throw new RetryableError('The process stood still while the mail was rendered', {
          code: 'HANDLER_TIMEOUT',
          cause: error,
        })
      }
    }
  }
}

function isTimeLimit(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('template render limit exceeded')
}
