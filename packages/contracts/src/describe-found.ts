const identifier = /^[A-Za-z_$][\w$]{0,39}$/

/**
 * Says what kind of value was found, and its size, but never the value: reasons end up in logs and headers, message
 * contents must not.
 */
export function describeFound(value: unknown): string {
  switch (typeof value) {
    case 'undefined':
      return 'nothing'
    case 'string':
      return value === '' ? 'an empty string' : `a string of ${value.length} character${value.length === 1 ? '' : 's'}`
    case 'number':
      return Number.isFinite(value) ? 'a number' : String(value)
    case 'object':
      return describeObject(value)
    default:
      return `a ${typeof value}`
  }
}

function describeObject(value: object | null): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return `an array of ${value.length}`
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'an invalid Date' : 'a Date'
  // The prototype's name comes from code; an own `constructor` property would be message content.
  const name: unknown = Object.getPrototypeOf(value)?.constructor?.name
  return typeof name === 'string' && name !== 'Object' && identifier.test(name) ? `an instance of ${name}` : 'an object'
}
