export interface JsonWriter {
  /** The text of an object whose members have these names and others, some of them several times. */
  object(names: readonly string[]): string
}

const blanks = ['', '', '', ' ', '\n', '\t', '\r\n', '  ']
const scalars = ['0', '-0', '1.50', '9007199254740993', '1e-320', '-1E+5', 'true', 'false', 'null', '""']
const pieces = [
  'a',
  '{',
  '}',
  '[',
  ']',
  ':',
  ',',
  ' ',
  'ü',
  '😀',
  '\\"',
  '\\\\',
  '\\n',
  '\\/',
  '\\u0041',
  '\\ud83d\\ude00',
]

/** Writes JSON that means to confuse: random nesting, blanks, escapes and names. The same seed gives the same texts. */
export function createJsonWriter(seed: number): JsonWriter {
  const random = createRandom(seed)
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)] as T
  const many = (most: number, create: () => string) => Array.from({ length: Math.floor(random() * (most + 1)) }, create)
  const spaced = (text: string) => `${pick(blanks)}${text}${pick(blanks)}`

  const string = () => `"${many(6, () => pick(pieces)).join('')}"`
  const key = (names: readonly string[]) => {
    if (random() < 0.3) return string()
    const escaped = Array.from(pick(names), (letter) => (random() < 0.1 ? toEscape(letter) : letter))
    return `"${escaped.join('')}"`
  }
  const object = (names: readonly string[], depth: number): string =>
    `{${many(5, () => `${spaced(key(names))}:${spaced(value(names, depth + 1))}`).join(',') || pick(blanks)}}`
  const array = (names: readonly string[], depth: number): string =>
    `[${many(4, () => spaced(value(names, depth + 1))).join(',') || pick(blanks)}]`
  const value = (names: readonly string[], depth: number): string => {
    const kind = random()
    if (depth < 5 && kind < 0.3) return object(names, depth)
    if (depth < 5 && kind < 0.5) return array(names, depth)
    return kind < 0.75 ? string() : pick(scalars)
  }

  return { object: (names) => spaced(object(names, 0)) }
}

function toEscape(letter: string): string {
  return `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`
}

/** Numerical Recipes' linear congruential generator. */
function createRandom(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}
