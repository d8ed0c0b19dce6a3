import type { ObjectSchema, TemplateSchema } from './template-schema.js'

/**
 * The data as a template takes it: null in a property that may be left out is left out, as serializers that write every
 * field mean it; and if the schema is open, what does not fit it is left out, because the data need not have been made for
 * this template. What remains may still not fit.
 */
export function fitData({ root, isOpen, validate }: TemplateSchema, data: Record<string, unknown>): unknown {
  const given = leaveOutNulls(root, data)
  if (!isOpen || validate(given)) return given
  const misfits = new Set(validate.errors?.map(({ instancePath }) => instancePath.split('/')[1]))
  return Object.fromEntries(Object.entries(given as object).filter(([name]) => !misfits.has(toPointer(name))))
}

function leaveOutNulls(schema: ObjectSchema, data: unknown): unknown {
  const { items, properties, required = [] } = schema
  if (Array.isArray(data)) return items === undefined ? data : data.map((item) => leaveOutNulls(items, item))
  if (typeof data !== 'object' || data === null || properties === undefined) return data
  const known = new Map(Object.entries(properties))
  const given = Object.entries(data).filter(([name, value]) => {
    return value !== null || !known.has(name) || required.includes(name)
  })
  return Object.fromEntries(given.map(([name, value]) => [name, leaveOutNulls(known.get(name) ?? {}, value)]))
}

/** As a JSON pointer has the name (RFC 6901). */
function toPointer(name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1')
}
