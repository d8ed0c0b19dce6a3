import { createHash } from 'node:crypto'
import type { Channel } from './device.js'

/**
 * Makes the function that names the devices of one push service: the same name in every process, short enough for a header
 * that has room for few characters. Two origins of one name would only wait for each other.
 */
export function createOriginNames(): (channel: Channel, origin: string) => string {
  const names = new Map<string, string>()
  return (channel, origin) => {
    // FCM and the browsers of one vendor are at the same origin, and hold up each other no more than others do.
    const place = `${channel} ${origin}`
    const known = names.get(place)
    if (known !== undefined) return known
    const name = `${channel}-${createHash('sha256').update(origin).digest('base64url').slice(0, 4)}`
    names.set(place, name)
    return name
  }
}
