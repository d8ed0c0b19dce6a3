import { lookup as lookupInDns } from 'node:dns'
import { isIP, type LookupFunction } from 'node:net'
import { canExist } from './can-exist.js'
import { isPublicAddress } from './is-public-address.js'
import { knownPushServices } from './known-push-services.js'
import type { AllowedEndpoint } from './parse-endpoint-allow.js'

/** Why an endpoint is refused; none of them names the endpoint. */
export type EndpointRefusal =
  | 'not a URL'
  | 'not https'
  | 'user information'
  | 'no such host'
  | 'port'
  | 'host'
  | 'address'

const finalRefusals: ReadonlySet<EndpointRefusal> = new Set<EndpointRefusal>([
  'not a URL',
  'not https',
  'user information',
  'no such host',
])

/** Whether no list of allowed hosts would make it an endpoint that can be served. */
export function isFinalRefusal(refusal: EndpointRefusal): boolean {
  return finalRefusals.has(refusal)
}

/**
 * Endpoints come from browsers, so anybody can register one that leads into our own network. The guard lets requests
 * through to push services only, and to nothing that is not on the public internet, except for what the operator lists.
 */
export interface EndpointGuard {
  /** What can be told without asking a name server. */
  check(endpoint: string): URL | EndpointRefusal
  /**
   * For the socket that connects: so what is checked is what is connected to, whatever the name server says next time.
   * Fails with a `RefusedAddressError`, or as `dns.lookup` does.
   */
  lookup: LookupFunction
}

export interface EndpointGuardOptions {
  allow: readonly AllowedEndpoint[]
  /** Default: that of the system. */
  lookup?: LookupFunction
}

/** A host name leads to an address that is not of the public internet. Nothing was sent. */
export class RefusedAddressError extends Error {
  override readonly name = 'RefusedAddressError'
  readonly code = 'REFUSED_ADDRESS'
}

const known = knownPushServices.flatMap(({ hosts }) => hosts)
const knownHosts = new Set(known.filter((host) => !host.startsWith('*')))
const knownSuffixes = known.filter((host) => host.startsWith('*')).map((host) => host.slice(1))

export function createEndpointGuard({ allow, lookup = lookupInDns }: EndpointGuardOptions): EndpointGuard {
  const isListed = (host: string) => allow.some((entry) => includesHost(entry, host))

  return {
    check(endpoint) {
      if (!URL.canParse(endpoint)) return 'not a URL'
      const url = new URL(endpoint)
      const { protocol, username, password, hostname } = url
      if (protocol !== 'https:') return 'not https'
      if (username !== '' || password !== '') return 'user information'
      const port = Number(url.port || 443)
      if (allow.some((entry) => includesHost(entry, hostname) && port === (entry.port ?? 443))) return url
      if (!isListed(hostname) && !canExist(hostname)) return 'no such host'
      const address = hostname.replace(/^\[(.*)\]$/, '$1')
      // An address in the URL is never looked up.
      if (isIP(address) && !isPublicAddress(address)) return 'address'
      if (!isKnownHost(hostname)) return 'host'
      return port === 443 ? url : 'port'
    },

    lookup(hostname, options, callback) {
      lookup(hostname, options, (error, found, family) => {
        const addresses = Array.isArray(found) ? found.map(({ address }) => address) : [found]
        if (error || isListed(hostname) || addresses.every(isPublicAddress)) return callback(error, found, family)
        callback(new RefusedAddressError('The host leads to an address that is not public'), '')
      })
    },
  }
}

function isKnownHost(host: string): boolean {
  return knownHosts.has(host) || knownSuffixes.some((suffix) => host.endsWith(suffix))
}

function includesHost({ host: allowed, port }: AllowedEndpoint, host: string): boolean {
  return host === allowed || (port === undefined && host.endsWith(`.${allowed}`))
}
