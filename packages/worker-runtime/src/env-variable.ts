import { BrokerUrlError, parseBrokerUrl } from '@mono/rascal-config'
import { type ZodType, z } from 'zod'

/** How one property of the parsed environment is made. */
export interface EnvVariable<T = unknown> {
  /** The name in the environment, for example `HTTP_PORT`. */
  readonly name: string
  /** Gets the trimmed text, or `undefined` if the variable is unset or empty. Its messages read as "expected …". */
  readonly schema: ZodType<T>
  /** Also read from the file named by `<NAME>_FILE`; the value is never printed. */
  readonly secret: boolean
}

/** Property name → variable; spread {@link workerEnv} into it and add the worker's own. */
export type EnvShape = Readonly<Record<string, EnvVariable>>

export type EnvOf<S extends EnvShape> = { -readonly [K in keyof S]: S[K] extends EnvVariable<infer T> ? T : never }

/** A plain variable. Give the schema an error text that says what is expected: `found …` is added by `readEnv`. */
export function variable<T>(name: string, schema: ZodType<T>): EnvVariable<T> {
  return { name, schema, secret: false }
}

/** A variable with a secret in it: a default makes no sense for one. */
export function secret<T>(name: string, schema: ZodType<T>): EnvVariable<T> {
  return { name, schema, secret: true }
}

/** Decimal digits only: `1e3`, `0x10` and `10 s` are faults, not numbers. */
export function integer({ min, max, default: fallback }: { min: number; max: number; default: number }) {
  const expected = max >= Number.MAX_SAFE_INTEGER ? `an integer of at least ${min}` : `an integer from ${min} to ${max}`
  return z
    .string()
    .regex(/^-?\d{1,16}$/, expected)
    .transform(Number)
    .refine((value) => value >= min && value <= max, expected)
    .default(fallback)
}

/** A variable that must not be set; `because` reads as the end of a sentence. */
export function unset(because: string): ZodType<undefined> {
  return z.undefined(`nothing: ${because}`)
}

export function oneOf<const T extends string>(values: readonly T[], { default: fallback }: { default: NoInfer<T> }) {
  return z
    .custom<T>((value) => values.some((allowed) => allowed === value), `one of ${values.join(', ')}`)
    .default(() => fallback)
}

interface UrlOptions {
  /** Without the colon, for example `['amqp', 'amqps']`. */
  schemes: readonly string[]
  /** Default true. PostgreSQL URLs may leave the host to a socket directory. */
  hostNeeded?: boolean
}

/** One URL. The fault says which scheme was found, never more of it. */
export function url({ schemes, hostNeeded = true }: UrlOptions): ZodType<string> {
  const expected = `a ${schemes.map((scheme) => `${scheme}://`).join(' or ')} URL`
  return z.string(expected).superRefine((text, context) => {
    const found = findUrlFault(text, { schemes, hostNeeded })
    if (found !== undefined) context.addIssue({ code: 'custom', message: expected, params: { found } })
  })
}

/** One or more broker URLs separated by commas; spaces around them do not count. */
export function brokerUrls(): ZodType<string[]> {
  const expected = 'amqp:// or amqps:// URLs separated by commas'
  return z.string(expected).transform((text, context) => {
    const urls = text.split(',').map((part) => part.trim())
    for (const [index, part] of urls.entries()) {
      const fault = findBrokerUrlFault(part)
      const found = urls.length === 1 ? fault : `${fault} in place ${index + 1}`
      if (fault !== undefined) context.addIssue({ code: 'custom', message: expected, params: { found } })
    }
    return urls
  })
}

function findBrokerUrlFault(text: string): string | undefined {
  try {
    parseBrokerUrl(text)
    return undefined
  } catch (error) {
    if (error instanceof BrokerUrlError) return error.found
    throw error
  }
}

function findUrlFault(text: string, { schemes, hostNeeded }: Required<UrlOptions>): string | undefined {
  const scheme = /^([a-z][a-z0-9+.-]{0,20}):\/\//i.exec(text)?.[1]?.toLowerCase()
  if (text === '') return 'nothing'
  if (scheme === undefined) return 'a text that is not a URL (not shown)'
  if (!schemes.includes(scheme)) return `a ${scheme}:// URL`
  if (!URL.canParse(text)) return `a ${scheme}:// URL that cannot be parsed (not shown; is the password URL-encoded?)`
  if (hostNeeded && new URL(text).hostname === '') return `a ${scheme}:// URL without a host`
  return undefined
}
