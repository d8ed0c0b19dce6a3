import type { ObjectSchema } from './template-schema.js'

/** Null in a property that may be left out is left out, as serializers that write every field mean it. */
export function leaveOutNulls(schema: ObjectSchema, data: unknown): unknown {
  const { items, properties, required = [] } = schema
  if (Array.isArray(data)) return items === undefined ? data : data.map((item) => leaveOutNulls(items, item))
  if (typeof data !== 'object' || data === null || properties === undefined) return data
  const known = new Map(Object.entries(properties))
  const given = Object.entries(data).filter(([name, value]) => {
    return value !== null || !known.has(name) || required.includes(name)
  })
  return Object.fromEntries(given.map(([name, value]) => [name, leaveOutNulls(known.get(name) ?? {}, value)]))
}
