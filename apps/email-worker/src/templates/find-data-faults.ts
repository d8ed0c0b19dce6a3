import type { ErrorObject, ValidateFunction } from 'ajv/dist/2020.js'

const maxFaults = 20

/** Why the data does not fit the schema, each with its path: `data.userName is missing`. Empty if it fits. */
export function findDataFaults(validate: ValidateFunction, data: unknown): string[] {
  if (validate(data)) return []
  return (validate.errors ?? []).slice(0, maxFaults).map(toFault)
}

/** Never quotes a value: what people wrote does not belong into logs and headers. */
function toFault({ instancePath, keyword, params, message }: ErrorObject): string {
  const path = toPath(instancePath)
  if (keyword === 'required') return `${append(path, params.missingProperty)} is missing`
  if (keyword === 'additionalProperties') return `${append(path, params.additionalProperty)} is not in the schema`
  return `${path} ${message ?? `does not fit "${keyword}"`}`
}

/** From a JSON pointer: `/items/2/name` is `data.items[2].name`. */
function toPath(pointer: string): string {
  const segments = pointer.split('/').slice(1)
  return segments.map((segment) => segment.replaceAll('~1', '/').replaceAll('~0', '~')).reduce(append, 'data')
}

function append(path: string, segment: string): string {
  if (/^\d+$/.test(segment)) return `${path}[${segment}]`
  if (/^[A-Za-z_$][\w$]{0,63}$/.test(segment)) return `${path}.${segment}`
  return `${path}[${JSON.stringify(segment.length > 64 ? `${segment.slice(0, 64)}…` : segment)}]`
}
