/** Apple has said that tokens may become longer than the 64 digits that they have. */
const maxDigits = 400

/** The path of a device at APNs, or undefined for what can be no token: those are bytes in hex digits. */
export function toDevicePath(address: string): string | undefined {
  if (address.length > maxDigits || !/^[0-9a-f]+$/i.test(address)) return undefined
  return `/3/device/${address.toLowerCase()}`
}
