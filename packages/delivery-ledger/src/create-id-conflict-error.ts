import { PermanentError } from '@mono/message-queue'
import { type ContentDigest, nameDifferences } from './content-digest.js'

/** The ledger knows the message's id with another content. */
export function createIdConflictError(content: ContentDigest, stored: Buffer): PermanentError {
  const names = nameDifferences(content, stored)
  const difference = names.length > 0 ? `with other ${names.join(', ')}` : 'with a field that this one has not'
  return new PermanentError(`Another message has this id: it was served before, ${difference}`, { code: 'ID_CONFLICT' })
}
