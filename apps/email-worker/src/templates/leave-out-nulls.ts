import type { SchemaViewer } from './schema-view.js'
import type { ObjectSchema } from './template-schema.js'

/** Null in a property that may be left out is left out, as serializers that write every field mean it. */
export function leaveOutNulls(view: SchemaViewer, schemas: readonly ObjectSchema[], data: unknown): unknown {
  if (typeof data !== 'object' || data === null || schemas.length === 0) return data
  const { properties, others, items, required } = view(schemas)
  if (Array.isArray(data)) return data.map((item) => leaveOutNulls(view, items, item))
  const given = Object.entries(data).filter(([name, value]) => {
    return value !== null || !properties.has(name) || required.has(name)
  })
  return Object.fromEntries(
    given.map(([name, value]) => [name, leaveOutNulls(view, properties.get(name) ?? others, value)]),
  )
}
