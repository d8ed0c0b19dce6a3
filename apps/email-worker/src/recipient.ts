import { findAddressFault, normalizeAddress, toWireAddress } from '@mono/contracts'

/** Somebody to whom a message goes, by whichever spellings of one address. */
export interface Recipient {
  /** The address in its normal form, in the ledger too. One that has none is kept as it was given: it fails by itself. */
  readonly key: string
  /** As it goes to the mail server: the first spelling. */
  readonly address: string
  readonly spellings: readonly string[]
}

/** The recipients of a message by their keys. */
export type Recipients = ReadonlyMap<string, Recipient>

export function toRecipients(to: readonly string[], keyOf = toKey): Recipients {
  const recipients = new Map<string, { key: string; address: string; spellings: string[] }>()
  for (const spelling of to) {
    const key = keyOf(spelling)
    const known = recipients.get(key)
    if (known) known.spellings.push(spelling)
    else
      recipients.set(key, {
        key,
        address: hasFault(spelling) ? spelling : toWireAddress(spelling),
        spellings: [spelling],
      })
  }
  return recipients
}

export function toKey(address: string): string {
  return hasFault(address) ? address : normalizeAddress(address)
}

function hasFault(address: string): boolean {
  return findAddressFault(address) !== undefined
}
