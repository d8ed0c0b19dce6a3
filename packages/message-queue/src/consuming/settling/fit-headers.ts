import { headerBytes } from '../../header-bytes.js'
import { header, maxHeaderBytes, sortHeaders } from '../../headers.js'
import { truncateUtf8 } from './truncate-utf8.js'

type Headers = Readonly<Record<string, unknown>>

const maxListBytes = 255
/** Texts of ours that may be shortened, in this order, and what is kept of them at least; of nothing no header is made. */
const shortened: readonly (readonly [name: string, leastBytes: number])[] = [
  [header.failureStack, 0],
  [header.firstFailureMessage, 128],
  [header.failureMessage, 128],
]
const indispensable: ReadonlySet<string> = new Set([
  header.attempts,
  header.originalExchange,
  header.originalRoutingKey,
  header.failureCode,
  header.failureMessage,
])

/**
 * The headers of a copy, as far as they can be sent in so many bytes: AMQP has one frame for all of them. Our own texts
 * are shortened first, the stack before the messages. Then headers of the publisher are left out, those that cannot be
 * sent at all and the largest first, and `x-headers-left-out` says so. If the properties or forged headers of ours still
 * take too much room, those of ours go that nothing depends on.
 */
export function fitHeaders(headers: Headers, maxBytes: number): Headers {
  const { ours, publishers } = sortHeaders(headers)
  if (headerBytes(publishers) <= maxHeaderBytes && headerBytes(headers) <= maxBytes) return headers
  const room = maxBytes - headerBytes({})
  const kept = keepFitting(publishers, Math.min(maxHeaderBytes, room - fieldBytes(shorten(ours, 0))))
  const told = { ...ours, ...listLeftOut(publishers, kept, ours[header.headersLeftOut]) }
  const roomForOurs = room - fieldBytes(kept)
  return { ...kept, ...keepMostImportant(shorten(told, roomForOurs), roomForOurs) }
}

/** Without the length of the table. */
function fieldBytes(headers: Headers): number {
  return headerBytes(headers) - headerBytes({})
}

/** All, or the smallest, with room for the list of those that are left out. */
function keepFitting(publishers: Headers, room: number): Headers {
  if (fieldBytes(publishers) <= room) return publishers
  return keepSmallest(publishers, room - fieldBytes({ [header.headersLeftOut]: 'x'.repeat(maxListBytes) }))
}

function keepSmallest(headers: Headers, room: number): Headers {
  const sized = Object.entries(headers).map(([name, value]) => ({ name, bytes: fieldBytes({ [name]: value }) }))
  const kept = new Set<string>()
  let total = 0
  for (const { name, bytes } of sized.sort((a, b) => a.bytes - b.bytes)) {
    total += bytes
    if (total > room) break
    kept.add(name)
  }
  return pick(headers, (name) => kept.has(name))
}

function keepMostImportant(ours: Headers, room: number): Headers {
  if (fieldBytes(ours) <= room) return ours
  const first = keepSmallest(
    pick(ours, (name) => indispensable.has(name)),
    room,
  )
  const others = pick(ours, (name) => !indispensable.has(name))
  return { ...first, ...keepSmallest(others, room - fieldBytes(first)) }
}

function pick(headers: Headers, isWanted: (name: string) => boolean): Headers {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => isWanted(name)))
}

/** As little as is necessary, and as much as is allowed. */
function shorten(ours: Headers, room: number): Headers {
  const result: Record<string, unknown> = { ...ours }
  for (const [name, leastBytes] of shortened) {
    const text = result[name]
    const excess = fieldBytes(result) - room
    if (excess <= 0) break
    if (typeof text !== 'string') continue
    const cut = truncateUtf8(text, Math.max(leastBytes, Buffer.byteLength(text) - excess))
    if (cut === '') delete result[name]
    else result[name] = cut
  }
  return result
}

/** How many the publisher's headers are that have been left out, now and by earlier copies, and their names. */
function listLeftOut(publishers: Headers, kept: Headers, earlier: unknown): Headers {
  const names = Object.keys(publishers).filter((name) => !Object.hasOwn(kept, name))
  if (names.length === 0) return {}
  const [, count = '0', list] = /^(\d{1,6}): (.*)$/s.exec(String(earlier)) ?? []
  const text = [...(list === undefined ? [] : [list]), ...names].join(', ')
  return { [header.headersLeftOut]: truncateUtf8(`${Number(count) + names.length}: ${text}`, maxListBytes) }
}
