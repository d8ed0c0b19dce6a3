import { readFileSync } from 'node:fs'
import { EnvError, type EnvFault } from './env-error.js'
import type { EnvOf, EnvShape, EnvVariable } from './env-variable.js'
import { maskUrlPasswords } from './mask-secrets.js'

/** `process.env` of the caller, or an object in a test. */
export type EnvSource = Readonly<Record<string, string | undefined>>

/** The password of the files for developers. It is in the repository, so it is worth nothing anywhere else. */
const developmentPassword = 'admin123'

/**
 * Finds a fault of variables that do not fit together. One that reads a variable with a fault of its own is left out:
 * the object it gets has no value for it.
 */
export type EnvCheck<E> = (env: E) => EnvFault | undefined

/**
 * Turns an environment into one typed value, reporting all faults together.
 *
 * An empty variable counts as not set. A secret may come from `NAME` or, trimmed, from the file that `NAME_FILE` names;
 * both is a fault, so is a file that cannot be read or is empty. With `NODE_ENV=production` a secret that holds the
 * development password is refused.
 *
 * @throws EnvError with every fault; the values of secrets are in none of them.
 */
export function readEnv<S extends EnvShape>(
  shape: S,
  source: EnvSource,
  { checks = [] }: { checks?: readonly EnvCheck<EnvOf<S>>[] } = {},
): EnvOf<S> {
  const faults: EnvFault[] = []
  const faulty = new Set<string | symbol>()
  const entries = Object.entries(shape).map(([property, variable]) => {
    const own: EnvFault[] = []
    const value = readVariable(variable, source, own)
    if (own.length > 0) faulty.add(property)
    faults.push(...own)
    return [property, value]
  })
  const env = Object.fromEntries(entries) as EnvOf<S>
  for (const check of checks) faults.push(...runCheck(check, env, faulty))
  if (faults.length > 0) throw new EnvError(faults)
  return env
}

function readVariable(variable: EnvVariable, source: EnvSource, faults: EnvFault[]): unknown {
  const text = variable.secret ? readSecret(variable.name, source, faults) : { value: textOf(source, variable.name) }
  if (text === undefined) return undefined
  const production = textOf(source, 'NODE_ENV') === 'production'
  if (production && variable.secret) refuseDevelopmentPassword(variable.name, text.value, faults)
  return parseVariable(variable, text.value, faults)
}

function runCheck<E extends object>(check: EnvCheck<E>, env: E, faulty: ReadonlySet<string | symbol>): EnvFault[] {
  const unreadable = new Error('a variable with a fault of its own')
  const readable = new Proxy(env, {
    get(target, property) {
      if (faulty.has(property)) throw unreadable
      return Reflect.get(target, property)
    },
  })
  try {
    const fault = check(readable)
    return fault ? [fault] : []
  } catch (error) {
    if (error === unreadable) return []
    throw error
  }
}

function textOf(source: EnvSource, name: string): string | undefined {
  return source[name]?.trim() || undefined
}

/** `undefined` means that a fault was reported; `{ value: undefined }` that the secret is not set. */
function readSecret(name: string, source: EnvSource, faults: EnvFault[]): { value: string | undefined } | undefined {
  const value = textOf(source, name)
  const fileName = `${name}_FILE`
  const path = textOf(source, fileName)
  if (path === undefined) return { value }
  if (value !== undefined) {
    faults.push({ name, expected: `either ${name} or ${fileName}`, found: 'both' })
    return undefined
  }
  try {
    const content = readFileSync(path, 'utf8').trim()
    if (content !== '') return { value: content }
    faults.push({ name: fileName, expected: 'a file with the value in it', found: `an empty file at ${path}` })
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? 'unknown error'
    faults.push({ name: fileName, expected: 'a file that can be read', found: `${path} (${reason})` })
  }
  return undefined
}

function parseVariable({ name, schema, secret }: EnvVariable, value: string | undefined, faults: EnvFault[]): unknown {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const hint = secret && value === undefined ? `, or ${name}_FILE naming a file with it` : ''
  for (const issue of result.error.issues) {
    const found = issue.code === 'custom' ? issue.params?.found : undefined
    faults.push({ name, expected: `${issue.message}${hint}`, found: found ?? describeFound(value, secret) })
  }
  return undefined
}

function describeFound(value: string | undefined, secret: boolean): string {
  if (value === undefined) return 'nothing'
  if (secret) return 'a value that is not shown'
  return JSON.stringify(maskUrlPasswords(value.length > 80 ? `${value.slice(0, 80)}…` : value))
}

function refuseDevelopmentPassword(name: string, value: string | undefined, faults: EnvFault[]): void {
  if (value === undefined || !value.split(',').some((part) => holdsDevelopmentPassword(part.trim()))) return
  faults.push({
    name,
    expected: 'a password of its own, because NODE_ENV is production',
    found: `the development password ${developmentPassword}`,
  })
}

function holdsDevelopmentPassword(text: string): boolean {
  if (text === developmentPassword) return true
  if (!URL.canParse(text)) return false
  const { password, searchParams } = new URL(text)
  // PostgreSQL URLs may carry the password as a parameter.
  return [safeDecode(password), searchParams.get('password')].includes(developmentPassword)
}

function safeDecode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
