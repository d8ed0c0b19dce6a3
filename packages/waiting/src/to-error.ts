/**
 * Whatever was thrown, as an Error that says something. Node reports a host with several addresses, all refused, as an
 * AggregateError whose own message is empty.
 */
export function toError(thrown: unknown): Error {
  if (!(thrown instanceof Error)) return new Error(String(thrown))
  return thrown.message === '' ? new Error(describe(thrown), { cause: thrown }) : thrown
}

function describe(error: Error): string {
  if (error instanceof AggregateError) return error.errors.map((each) => toError(each).message).join('; ')
  return (error as NodeJS.ErrnoException).code ?? error.name
}
