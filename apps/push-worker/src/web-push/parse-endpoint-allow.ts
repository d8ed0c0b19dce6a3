import { isIP } from 'node:net'

/** An origin that endpoints may have besides those of the known push services. */
export interface AllowedEndpoint {
  /** As `URL.hostname` writes it. */
  host: string
  /** With a port: exactly this host. Without: this host and all below it, at port 443. */
  port?: number
}

/** @throws Error that says which entry cannot be used, and why */
export function parseEndpointAllow(list: string): AllowedEndpoint[] {
  return list
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '')
    .map(parseEntry)
}

function parseEntry(entry: string): AllowedEndpoint {
  const host = toHostname(entry)
  if (host === undefined) throw new Error(`${JSON.stringify(entry)} is neither a host nor host:port`)
  const port = /:(\d{1,5})$/.exec(entry)?.[1]
  if (port !== undefined) return { host, port: Number(port) }
  if (isIP(host) || !host.includes('.')) throw new Error(`${JSON.stringify(entry)} needs a port`)
  return { host }
}

/** Undefined for anything that is more, or less, than a host with or without a port. */
function toHostname(entry: string): string | undefined {
  if (!URL.canParse(`https://${entry}/`)) return undefined
  const { hostname, href, host } = new URL(`https://${entry}/`)
  if (hostname.includes('*') || hostname.endsWith('.') || href !== `https://${host}/`) return undefined
  return hostname
}
