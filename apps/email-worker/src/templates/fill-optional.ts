import type { ObjectSchema } from './template-schema.js'

/**
 * A copy of the data in which every property that the schema knows is there, null if it was absent: to a strict engine
 * null is empty, and undefined is an error.
 */
export function fillOptional(schema: ObjectSchema, data: unknown): unknown {
  if (Array.isArray(data)) {
    const { items } = schema
    return items === undefined ? data : data.map((item) => fillOptional(items, item))
  }
  const { properties } = schema
  if (typeof data !== 'object' || data === null || properties === undefined) return data
  const given = new Map(Object.entries(data))
  const filled = Object.entries(properties).map(([name, property]) => {
    return [name, given.has(name) ? fillOptional(property, given.get(name)) : null]
  })
  return { ...data, ...Object.fromEntries(filled) }
}
