import { toError } from '@mono/waiting'
import { maskSecrets } from './mask-secrets.js'

/** One line about an error, for a status. */
export function describeError(error: unknown): string {
  return maskSecrets(toError(error).message)
}
