import type { SchemaViewer } from './schema-view.js'
import type { ObjectSchema } from './template-schema.js'

/**
 * A copy of the data in which every property that the schemas know is there, null if it was absent: to a strict engine
 * null is empty, and undefined is an error.
 */
export function fillOptional(view: SchemaViewer, schemas: readonly ObjectSchema[], data: unknown): unknown {
  if (typeof data !== 'object' || data === null || schemas.length === 0) return data
  const { properties, others, items } = view(schemas)
  if (Array.isArray(data)) return data.map((item) => fillOptional(view, items, item))
  const given = Object.entries(data).map(([name, value]) => {
    return [name, fillOptional(view, properties.get(name) ?? others, value)] as const
  })
  const absent = [...properties.keys()].map((name) => [name, null] as const)
  return Object.fromEntries([...absent, ...given])
}
