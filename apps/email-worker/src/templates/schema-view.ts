import type { ObjectSchema } from './template-schema.js'

/** What a schema says about a value, together with all that it refers to or combines. */
export interface SchemaView {
  /** Property → every schema that it has anywhere, also in an alternative that may not apply. */
  properties: ReadonlyMap<string, readonly ObjectSchema[]>
  /** Of properties that have no name in the schema, and whether it lets there be any value in them. */
  others: readonly ObjectSchema[]
  items: readonly ObjectSchema[]
  /** Properties that must be there whichever alternative applies. */
  required: ReadonlySet<string>
  types: ReadonlySet<string>
}

/** Looks at several schemas of one value as at one. */
export type SchemaViewer = (schemas: readonly ObjectSchema[]) => SchemaView

/**
 * Makes the function that looks at parts of a schema. `$ref`, `allOf`, `oneOf`, `anyOf`, `if`, `then`, `else` and
 * `dependentSchemas` are followed; which alternative applies is not asked.
 *
 * @param root where `$ref` starts from
 */
export function createSchemaViewer(root: ObjectSchema): SchemaViewer {
  // All items of a list have the same schemas.
  const views = new WeakMap<readonly ObjectSchema[], SchemaView>()
  return (schemas) => {
    const known = views.get(schemas)
    if (known !== undefined) return known
    const view = createView(root, schemas)
    views.set(schemas, view)
    return view
  }
}

function createView(root: ObjectSchema, schemas: readonly ObjectSchema[]): SchemaView {
  const parts = new Map<ObjectSchema, boolean>()
  for (const schema of schemas) collect(schema, true)
  const all = [...parts.keys()]
  const always = [...parts].filter(([, applies]) => applies).map(([part]) => part)
  return {
    properties: group(all.flatMap(({ properties = {} }) => Object.entries(properties))),
    others: all.flatMap(({ additionalProperties, patternProperties = {} }) => [
      ...toSchemas(additionalProperties),
      ...Object.values(patternProperties),
    ]),
    items: all.flatMap(({ items, prefixItems = [] }) => [...toSchemas(items), ...prefixItems]),
    required: new Set(always.flatMap(({ required = [] }) => required)),
    types: new Set(all.flatMap(({ type = [] }) => type)),
  }

  function collect(schema: ObjectSchema, applies: boolean): void {
    if (parts.get(schema) === true || (parts.has(schema) && !applies)) return
    parts.set(schema, applies)
    if (schema.$ref !== undefined) collect(resolveRef(root, schema.$ref), applies)
    for (const part of schema.allOf ?? []) collect(part, applies)
    const { oneOf = [], anyOf = [], dependentSchemas = {} } = schema
    const alternatives = [...oneOf, ...anyOf, ...Object.values(dependentSchemas), schema.if, schema.then, schema.else]
    for (const part of alternatives.flatMap(toSchemas)) collect(part, false)
  }
}

/** @throws Error if it leads nowhere, or out of the file */
export function resolveRef(root: ObjectSchema, ref: string): ObjectSchema {
  const [, fragment] = /^#(|\/.*)$/.exec(ref) ?? []
  let found: unknown = fragment === undefined ? undefined : root
  for (const segment of (fragment ?? '').split('/').slice(1)) {
    const name = decodeURIComponent(segment).replaceAll('~1', '/').replaceAll('~0', '~')
    found =
      typeof found === 'object' && found !== null && Object.hasOwn(found, name) ? Reflect.get(found, name) : undefined
  }
  if (typeof found === 'object' && found !== null) return found
  throw new Error(`expected each "$ref" to lead to a place in the file, such as "#/$defs/address", found "${ref}"`)
}

/** A schema may also be true or false, which says nothing of what is in a value. */
function toSchemas(schema: ObjectSchema | boolean | undefined): ObjectSchema[] {
  return typeof schema === 'object' ? [schema] : []
}

function group(entries: readonly (readonly [string, ObjectSchema])[]): Map<string, ObjectSchema[]> {
  const groups = new Map<string, ObjectSchema[]>()
  for (const [name, schema] of entries) groups.set(name, [...(groups.get(name) ?? []), ...toSchemas(schema)])
  return groups
}
