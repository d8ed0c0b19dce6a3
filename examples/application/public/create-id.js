// @ts-check

/** `crypto.randomUUID` is there only for pages that came by https: or from this machine. */
export function createId() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('')
}
