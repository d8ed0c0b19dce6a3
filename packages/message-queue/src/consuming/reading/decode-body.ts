import { isUtf8 } from 'node:buffer'

const utf8Mark = [0xef, 0xbb, 0xbf]

/** By the mark at their beginning, or by the zeros beside the first character of a JSON text; the longer ones first. */
const otherEncodings: readonly (readonly [name: string, beginning: readonly number[]])[] = [
  ['UTF-32', [0xff, 0xfe, 0, 0]],
  ['UTF-32', [0, 0, 0xfe, 0xff]],
  ['UTF-16', [0xff, 0xfe]],
  ['UTF-16', [0xfe, 0xff]],
  ['UTF-32', [0, 0, 0]],
  ['UTF-32', [0x7b, 0, 0, 0]],
  ['UTF-16', [0x7b, 0]],
  ['UTF-16', [0, 0x7b]],
]

/**
 * The text of a body, without the byte order mark that some clients put before it (RFC 8259, section 8.1).
 *
 * @returns the name of what was found instead, if it is no UTF-8: decoding would put U+FFFD in the place of broken bytes
 * without a word
 */
export function decodeBody(body: Buffer): { text: string } | { found: string } {
  const other = otherEncodings.find(([, beginning]) => startsWith(body, beginning))
  if (other) return { found: other[0] }
  if (!isUtf8(body)) return { found: 'other bytes' }
  return { text: body.toString('utf8', startsWith(body, utf8Mark) ? utf8Mark.length : 0) }
}

function startsWith(body: Buffer, beginning: readonly number[]): boolean {
  return beginning.every((byte, index) => body[index] === byte)
}
