import { maskSecrets } from './mask-secrets.js'

/** One line about an error, for a status. Node leaves the message of a failed dual-stack connect empty. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return maskSecrets(String(error))
  if (error.message === '' && error instanceof AggregateError) return error.errors.map(describeError).join('; ')
  return maskSecrets(error.message || error.name)
}
