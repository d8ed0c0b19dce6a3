const maxLength = 254

/**
 * Why a text must not be given to a mail library as one address, or undefined. Mail libraries parse an address as a
 * list: `x@y.z, evil@z.z` would be two recipients, `x(y)@z.z` another one, and a line break another SMTP command.
 */
export function findAddressFault(address: string): string | undefined {
  if (address.length > maxLength) return `expected at most ${maxLength} characters, found ${address.length}`
  if (/[\p{Control}\s]/u.test(address)) return 'expected no white space and no control characters'
  if (/[,;:<>()[\]\\"]/.test(address)) return 'expected none of , ; : < > ( ) [ ] \\ "'
  if (!/^[^@]+@[^@]+$/.test(address)) return 'expected one @ with something on both sides'
  return undefined
}
