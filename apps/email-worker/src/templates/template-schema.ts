import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import formats from 'ajv-formats'

/** What the store reads of a JSON Schema; Ajv checks the rest of it. */
export interface ObjectSchema {
  type?: string
  properties?: Record<string, ObjectSchema>
  required?: string[]
  items?: ObjectSchema
}

export interface TemplateSchema {
  root: ObjectSchema
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
  if (isRecord(root.properties) && providedVariable in root.properties) {
    throw new Error(`"${providedVariable}" is the subject of the message and cannot be a property of its data`)
  }
  const { examples } = root
  if (!Array.isArray(examples) || examples.length === 0 || !examples.every(isRecord)) {
    throw new Error('expected "examples" with at least one object, with which the template is checked')
  }
  return { root: root as ObjectSchema, validate: compile(root), examples }
}

function compile(schema: Record<string, unknown>): ValidateFunction {
  const ajv = new Ajv2020({ strict: true, allErrors: true, logger: false })
  formats.default(ajv)
  return ajv.compile(schema)
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
