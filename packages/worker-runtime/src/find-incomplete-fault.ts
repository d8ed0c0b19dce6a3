import type { EnvFault } from './env-error.js'

/**
 * Of variables that mean nothing one by one, all are set or none is.
 *
 * @param values name of the variable → its value, undefined if it is not set
 */
export function findIncompleteFault(values: Readonly<Record<string, unknown>>): EnvFault | undefined {
  const names = Object.keys(values)
  const missing = names.filter((name) => values[name] === undefined)
  const [first] = missing
  if (first === undefined || missing.length === names.length) return undefined
  return { name: first, expected: `all of ${names.join(', ')}, or none`, found: `nothing for ${missing.join(', ')}` }
}
