import { DeferError } from '@mono/message-queue'

/** A deferral that says that a part of the work was done before; any other error as it is. */
export function toProgressed(error: unknown): unknown {
  if (!(error instanceof DeferError)) return error
  const { code, delayMs, message } = error
  return new DeferError(message, {
    code,
    ...(delayMs !== undefined && { delayMs }),
    hasProgressed: true,
    cause: error,
  })
}
