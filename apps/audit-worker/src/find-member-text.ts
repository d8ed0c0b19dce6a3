/**
 * The text of an object's member: where the name is there several times, the last one's, as `JSON.parse` takes it.
 * Members of members are not looked at.
 *
 * @param json an object that `JSON.parse` takes; what is no JSON gives any part of it
 */
export function findMemberText(json: string, name: string): string | undefined {
  const plainKey = JSON.stringify(name)
  let found: string | undefined
  let index = skipBlanks(json, json.indexOf('{') + 1)
  while (json[index] === '"') {
    const keyEnd = skipString(json, index)
    const key = json.slice(index, keyEnd)
    const start = skipBlanks(json, json.indexOf(':', keyEnd) + 1)
    const end = skipValue(json, start)
    if (key === plainKey || (key.includes('\\') && JSON.parse(key) === name)) found = json.slice(start, end)
    index = skipBlanks(json, end)
    if (json[index] === ',') index = skipBlanks(json, index + 1)
  }
  return found
}

function skipValue(json: string, start: number): number {
  let depth = 0
  let index = start
  while (index < json.length) {
    switch (json.charCodeAt(index)) {
      case quote:
        index = skipString(json, index)
        if (depth === 0) return index
        continue
      case openBrace:
      case openBracket:
        depth += 1
        break
      case closeBrace:
      case closeBracket:
        // A number or a word ends where the object around it does.
        if (depth === 0) return index
        depth -= 1
        if (depth === 0) return index + 1
        break
      case comma:
      case blank:
      case tab:
      case lineFeed:
      case carriageReturn:
        if (depth === 0) return index
        break
    }
    index += 1
  }
  return index
}

/** The index behind the quotation mark that ends the string. */
function skipString(json: string, start: number): number {
  let end = json.indexOf('"', start + 1)
  while (isEscaped(json, end)) end = json.indexOf('"', end + 1)
  return end < 0 ? json.length : end + 1
}

/** An odd number of backslashes stands before it. */
function isEscaped(json: string, index: number): boolean {
  let first = index
  while (json.charCodeAt(first - 1) === backslash) first -= 1
  return (index - first) % 2 === 1
}

function skipBlanks(json: string, start: number): number {
  let index = start
  for (; index < json.length; index += 1) {
    const code = json.charCodeAt(index)
    if (code !== blank && code !== tab && code !== lineFeed && code !== carriageReturn) break
  }
  return index
}

const [quote, backslash, comma] = [0x22, 0x5c, 0x2c]
const [openBrace, closeBrace, openBracket, closeBracket] = [0x7b, 0x7d, 0x5b, 0x5d]
const [blank, tab, lineFeed, carriageReturn] = [0x20, 0x09, 0x0a, 0x0d]
