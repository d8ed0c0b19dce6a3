/** Else only a server with SMTPUTF8 (RFC 6531) takes the address. */
export function isAsciiBeforeAt(address: string): boolean {
  return /^[!-~]*$/.test(address.slice(0, address.indexOf('@')))
}
