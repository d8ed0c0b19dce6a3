type Table = Readonly<Record<string, unknown>>

/** Rascal and amqplib copy headers by recursion: some thousand levels overflow the stack, outside of any handler. */
const maxDepth = 32
/** AMQP 0-9-1, section 4.2.5.5: the name of a field is a short string. */
const maxNameBytes = 255
const tagBytes = 1
const lengthBytes = 4
const longestNumberBytes = 8
const decimalBytes = 5
const unsendable = Number.POSITIVE_INFINITY

/**
 * At most how many bytes headers take on the wire; Infinity if they cannot be sent. Not everything that amqplib decodes
 * it can encode again, and a copy that cannot be encoded is dead-lettered by rascal without a reason.
 */
export function headerBytes(headers: Table): number {
  return tableBytes(headers, 1)
}

function tableBytes(table: Table, depth: number): number {
  if (depth > maxDepth) return unsendable
  let bytes = lengthBytes
  // Inherited ones too, as amqplib does it: a header named `__proto__` becomes the prototype.
  for (const name in table) {
    const nameBytes = Buffer.byteLength(name)
    if (nameBytes > maxNameBytes) return unsendable
    bytes += 1 + nameBytes + valueBytes(table[name], depth)
  }
  return bytes
}

function valueBytes(value: unknown, depth: number): number {
  if (typeof value === 'string') return tagBytes + lengthBytes + Buffer.byteLength(value)
  if (typeof value === 'number') return isSendable(value) ? tagBytes + longestNumberBytes : unsendable
  if (typeof value === 'boolean') return tagBytes + 1
  if (value === null) return tagBytes
  if (typeof value !== 'object') return unsendable
  if (Buffer.isBuffer(value)) return tagBytes + lengthBytes + value.length
  if (Array.isArray(value)) return tagBytes + lengthBytes + listBytes(value, depth + 1)
  if (Object.hasOwn(value, '!')) return exoticBytes(value as Table)
  return tagBytes + tableBytes(value as Table, depth + 1)
}

function listBytes(list: readonly unknown[], depth: number): number {
  if (depth > maxDepth) return unsendable
  return list.reduce<number>((bytes, value) => bytes + valueBytes(value, depth), 0)
}

/** Amqplib writes a number as an integer of 64 bits unless it is a fraction below 2^50 or at least 2^63. */
function isSendable(value: number): boolean {
  return Number.isFinite(value) && value >= -(2 ** 63) && (Number.isInteger(value) || Math.abs(value) < 2 ** 50)
}

/** Amqplib's way to name a type that JavaScript has not: `{ '!': type, value }`. It makes two of them itself. */
function exoticBytes({ '!': type, value }: Table): number {
  if (type === 'timestamp' && isUnsigned(value, 2 ** 64)) return tagBytes + longestNumberBytes
  if (type !== 'decimal' || typeof value !== 'object' || value === null) return unsendable
  const { places, digits } = value as Table
  return isUnsigned(places, 2 ** 8) && isUnsigned(digits, 2 ** 32) ? tagBytes + decimalBytes : unsendable
}

function isUnsigned(value: unknown, limit: number): boolean {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value < limit
}
