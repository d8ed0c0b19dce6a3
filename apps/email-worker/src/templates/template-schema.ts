import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import formats from 'ajv-formats'
import { createSchemaViewer, resolveRef, type SchemaViewer } from './schema-view.js'

/** What the store reads of a JSON Schema; Ajv checks the rest of it. */
export interface ObjectSchema {
  type?: string | string[]
  properties?: Record<string, ObjectSchema>
  patternProperties?: Record<string, ObjectSchema>
  additionalProperties?: ObjectSchema | boolean
  required?: string[]
  items?: ObjectSchema | boolean
  prefixItems?: ObjectSchema[]
  $ref?: string
  allOf?: ObjectSchema[]
  oneOf?: ObjectSchema[]
  anyOf?: ObjectSchema[]
  if?: ObjectSchema | boolean
  then?: ObjectSchema | boolean
  else?: ObjectSchema | boolean
  dependentSchemas?: Record<string, ObjectSchema>
}

export interface TemplateSchema {
  root: ObjectSchema
  view: SchemaViewer
  validate: ValidateFunction
  /** Data with which the template is rendered when it is checked. */
  examples: Record<string, unknown>[]
}

/** The message's own subject; every template gets it. */
export const providedVariable = 'subject'

/**
 * Reads a template's `schema.json`: JSON Schema, draft 2020-12, strict.
 *
 * @throws Error that says what is wrong with it
 */
export function parseTemplateSchema(text: string): TemplateSchema {
  const root: unknown = JSON.parse(text)
  if (!isRecord(root) || root.type !== 'object') throw new Error('expected a schema with "type": "object"')
  if (typeof root.additionalProperties !== 'boolean') {
    const expected = 'expected "additionalProperties": false, so that a misspelt variable is refused'
    throw new Error(`${expected}, or true for data that may hold more`)
  }
  // First of all: it says what is wrong with the schema itself.
  const validate = compile(root)
  assertRefs(root)
  const view = createSchemaViewer(root)
  if (view([root]).properties.has(providedVariable)) {
    throw new Error(`"${providedVariable}" is the subject of the message and cannot be a property of its data`)
  }
  const { examples } = root
  if (!Array.isArray(examples) || examples.length === 0 || !examples.every(isRecord)) {
    throw new Error('expected "examples" with at least one object, with which the template is checked')
  }
  return { root, view, validate, examples }
}

/** Anything else that Ajv follows, such as an anchor, would hide from us what is below. @throws Error */
function assertRefs(root: Record<string, unknown>, part: unknown = root): void {
  if (typeof part !== 'object' || part === null) return
  const { $ref, $dynamicRef } = part as Record<string, unknown>
  if (typeof $ref === 'string') resolveRef(root, $ref)
  if ($dynamicRef !== undefined) throw new Error('expected "$ref" in place of "$dynamicRef"')
  for (const [name, value] of Object.entries(part)) {
    if (name !== 'examples' && name !== 'enum' && name !== 'const' && name !== 'default') assertRefs(root, value)
  }
}

function compile(schema: Record<string, unknown>): ValidateFunction {
  const ajv = new Ajv2020({ strict: true, allErrors: true, logger: false })
  formats.default(ajv)
  return ajv.compile(schema)
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
