import { BlockList, isIPv4, isIPv6 } from 'node:net'

/** IANA's special-purpose registry, multicast and what is reserved; a push service is at none of these. */
const specialIPv4 = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
] as const

/** Of the global unicast range: Teredo and other protocol assignments, documentation, 6to4. */
const specialIPv6 = [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
] as const

const special4 = new BlockList()
const special6 = new BlockList()
const global6 = new BlockList()

// A network without IPv4 reaches it through 64:ff9b::/96 (RFC 6052), which must not lead to a special address either.
global6.addSubnet('2000::', 3, 'ipv6')
global6.addSubnet('64:ff9b::', 96, 'ipv6')
for (const [net, prefix] of specialIPv6) special6.addSubnet(net, prefix, 'ipv6')
for (const [net, prefix] of specialIPv4) {
  special4.addSubnet(net, prefix, 'ipv4')
  special6.addSubnet(`64:ff9b::${net}`, 96 + prefix, 'ipv6')
}

/**
 * Whether an address is one of the public internet. Of IPv6 only global unicast is: loopback, link-local, unique-local,
 * multicast and IPv4-mapped addresses are not. False for a text that is no address.
 */
export function isPublicAddress(address: string): boolean {
  if (isIPv4(address)) return !special4.check(address, 'ipv4')
  // One with a zone is link-local, and the lists do not take it.
  if (!isIPv6(address) || address.includes('%')) return false
  return global6.check(address, 'ipv6') && !special6.check(address, 'ipv6')
}
