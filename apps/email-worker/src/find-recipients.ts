import type { DeliveryLedger, LedgerMessage } from '@mono/delivery-ledger'
import { type Recipients, toKey, toRecipients } from './recipient.js'

/**
 * The recipients of a message. Whoever has a row under the address in lower case, as workers before normal forms wrote it
 * and those that still run beside write it, keeps that row: under another key the mail would be sent again. The two
 * keys differ for letters other than ASCII only, so nearly no message asks the ledger.
 *
 * @throws DeferError or RetryableError if the ledger could not be asked
 */
export async function findRecipients(
  to: readonly string[],
  { ledger, message }: { ledger: Pick<DeliveryLedger, 'read'>; message: LedgerMessage },
): Promise<Recipients> {
  const lowerCased = to.filter((each) => each.toLowerCase() !== toKey(each)).map((each) => each.toLowerCase())
  if (lowerCased.length === 0) return toRecipients(to)
  const records = await ledger.read(message, [...new Set(lowerCased)])
  return toRecipients(to, (address) => (records.has(address.toLowerCase()) ? address.toLowerCase() : toKey(address)))
}
