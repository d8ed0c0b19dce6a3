import { createHash } from 'node:crypto'

/** A ledger keeps this of a message's content, to tell another content under the same id. */
export interface ContentDigest {
  /** The column `digest`: 16 bytes that decide, then the marks of the fields. */
  readonly bytes: Buffer
  /** Field → its mark. */
  readonly marks: ReadonlyMap<string, string>
}

/** As many bytes of SHA-256 decide whether two contents are the same. */
const decidingBytes = 16

/** A mark only serves to name a field that differs, so it may be short: there is one in each row of each field. */
const markBytes = 2

/**
 * The digest of a content whose values are JSON. Two contents have the same if their values are the same: the order of
 * keys and the white space of the body that they came in do not count, nor does a field that is undefined.
 */
export function createContentDigest(content: Readonly<Record<string, unknown>>): ContentDigest {
  const fields = Object.keys(content).filter((field) => content[field] !== undefined)
  const texts = fields.sort().map((field) => ({ field, text: toCanonicalJson(content[field]) }))
  const marks = new Map(
    texts.map(({ field, text }) => [field, sha256(`[${JSON.stringify(field)},${text}]`, markBytes).toString('hex')]),
  )
  const deciding = sha256(
    `{${texts.map(({ field, text }) => `${JSON.stringify(field)}:${text}`).join(',')}}`,
    decidingBytes,
  )
  return { marks, bytes: Buffer.concat([deciding, Buffer.from([...marks.values()].join(''), 'hex')]) }
}

/**
 * The fields by which a content differs from the one that is in the ledger. Of a field that only the ledger's content
 * has nothing but its mark is known, so it has no name.
 */
export function nameDifferences({ marks }: ContentDigest, stored: Buffer): string[] {
  const others = stored.subarray(decidingBytes).toString('hex').match(/.{4}/g) ?? []
  const present = new Set(others)
  return [...marks].flatMap(([field, mark]) => (present.has(mark) ? [] : [field]))
}

function sha256(text: string, bytes: number): Buffer {
  return createHash('sha256').update(text).digest().subarray(0, bytes)
}

/** JSON without white space, the keys of each object in the order of their code units. */
function toCanonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(toCanonicalJson).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const entries = Object.entries(value).filter(([, each]) => each !== undefined)
  entries.sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${entries.map(([key, each]) => `${JSON.stringify(key)}:${toCanonicalJson(each)}`).join(',')}}`
}
