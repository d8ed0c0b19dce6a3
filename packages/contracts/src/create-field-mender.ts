import { z } from 'zod'
import { pushData, record } from './fields.js'

type Json = Readonly<Record<string, unknown>>

/**
 * Makes the function that puts right what whole languages write in the place of a field, by the shape of its message:
 *
 * - null where the field may be left out (Java and C# write every field that they have): it is left out
 * - `[]` where a record belongs (an empty array of PHP, which cannot tell a list from a record): `{}`
 *
 * Only the fields of the message itself are looked at: inside a record, null and `[]` are the publisher's. The value is
 * not changed; it is returned as it is if there is nothing to put right, else as a copy.
 */
export function createFieldMender({ shape }: z.ZodObject): (json: unknown) => unknown {
  const fields = Object.entries(shape)
  const optional = fields.filter(([, field]) => z.safeParse(field, undefined).success).map(([name]) => name)
  const records = fields.filter(([, field]) => isRecord(innerField(field))).map(([name]) => name)

  return (json) => {
    if (typeof json !== 'object' || json === null) return json
    let mended = json as Json
    for (const name of optional) if (mended[name] === null) mended = omit(mended, name)
    for (const name of records) if (isEmptyList(mended[name])) mended = { ...mended, [name]: {} }
    return mended
  }
}

function isRecord(field: z.core.$ZodType): boolean {
  return field === record || field === pushData
}

function innerField(field: z.core.$ZodType): z.core.$ZodType {
  return field instanceof z.ZodOptional || field instanceof z.ZodDefault ? field.unwrap() : field
}

function isEmptyList(value: unknown): boolean {
  return Array.isArray(value) && value.length === 0
}

function omit(json: Json, name: string): Json {
  const { [name]: _, ...others } = json
  return others
}
