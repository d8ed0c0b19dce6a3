const maxLength = 4096

/**
 * Tells whether there can be such a token or installation id: it is not empty, not longer than a message, and of
 * visible ASCII characters. Google promises no more of their form.
 */
export function isFcmAddress(address: string): boolean {
  return address.length <= maxLength && /^[\x21-\x7e]+$/.test(address)
}
