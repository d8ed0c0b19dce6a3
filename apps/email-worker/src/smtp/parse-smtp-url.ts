/**
 * - `required`: a server that offers no STARTTLS is refused
 * - `opportunistic`: STARTTLS where it is offered; whoever is between may take the offer out
 * - `off`: no STARTTLS
 * - `implicit`: from the start, `smtps://`
 */
export type SmtpTls = 'required' | 'opportunistic' | 'off' | 'implicit'

/** Milliseconds. */
export interface SmtpTimeLimits {
  /** From the end of the connecting to the greeting. */
  greetingTimeoutMs: number
  /** For the answer to a command. */
  commandTimeoutMs: number
  /** For the answer to the whole mail. */
  finalDotTimeoutMs: number
}

export interface SmtpSettings extends SmtpTimeLimits {
  host: string
  port: number
  tls: SmtpTls
  auth?: { user: string; pass: string }
  /** Connections at most; as many mails are on their way at a time. */
  maxConnections: number
  /** Mails over one connection at most. */
  maxMessages: number
  /** Mails begun in a minute at most, by this process. Absent: no limit. */
  ratePerMinute?: number
}

export const defaultMaxConnections = 10

const minute = 60_000
/** Longer than the handler may take for a message. */
const longest = 15 * minute

interface NumberParameter {
  min: number
  max: number
  default?: number
}

/** The limits of time are those of RFC 5321, section 4.5.3.2. */
const numberParameters = {
  maxConnections: { min: 1, max: 100, default: defaultMaxConnections },
  maxMessages: { min: 1, max: 100_000, default: 100 },
  ratePerMinute: { min: 1, max: 100_000 },
  greetingTimeoutMs: { min: 100, max: longest, default: 5 * minute },
  commandTimeoutMs: { min: 100, max: longest, default: 5 * minute },
  finalDotTimeoutMs: { min: 100, max: longest, default: 10 * minute },
} satisfies Record<string, NumberParameter>

const tlsParameters = ['required', 'opportunistic', 'off'] as const
const parameterNames = ['tls', ...Object.keys(numberParameters)]

/**
 * Reads `smtp://user:password@host:587?tls=required&maxConnections=10`. Default ports: 587, for `smtps://` 465. TLS is
 * required on port 587 and wherever there is a password, unless `tls` says otherwise.
 *
 * @throws Error that says what was expected, without any of the URL's secrets
 */
export function parseSmtpUrl(text: string): SmtpSettings {
  const url = new URL(text)
  const secure = url.protocol === 'smtps:'
  const port = url.port === '' ? (secure ? 465 : 587) : Number(url.port)
  const user = decode(url.username)
  const pass = decode(url.password)
  if (url.pathname !== '' && url.pathname !== '/') throw new Error('expected nothing after the port but parameters')
  const unknown = [...url.searchParams.keys()].find((name) => !parameterNames.includes(name))
  if (unknown !== undefined) throw new Error(`expected no parameters but ${parameterNames.join(', ')}`)
  const read = (name: keyof typeof numberParameters) => parseNumber(name, url.searchParams.get(name))
  const ratePerMinute = read('ratePerMinute')
  return {
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port,
    tls: secure ? refuseTlsParameter(url) : parseTls(url, user !== '' || port === 587),
    ...(user === '' ? {} : { auth: { user, pass } }),
    maxConnections: read('maxConnections') as number,
    maxMessages: read('maxMessages') as number,
    ...(ratePerMinute === undefined ? {} : { ratePerMinute }),
    greetingTimeoutMs: read('greetingTimeoutMs') as number,
    commandTimeoutMs: read('commandTimeoutMs') as number,
    finalDotTimeoutMs: read('finalDotTimeoutMs') as number,
  }
}

function parseTls({ searchParams }: URL, isRequired: boolean): SmtpTls {
  const text = searchParams.get('tls')
  if (text === null) return isRequired ? 'required' : 'opportunistic'
  const tls = tlsParameters.find((each) => each === text)
  if (tls === undefined) throw new Error(`expected tls to be ${tlsParameters.join(', ')}`)
  return tls
}

function refuseTlsParameter({ searchParams }: URL): 'implicit' {
  if (searchParams.has('tls')) throw new Error('expected no parameter tls, since smtps:// is TLS from the start')
  return 'implicit'
}

function parseNumber(name: keyof typeof numberParameters, text: string | null): number | undefined {
  const { min, max, ...parameter }: NumberParameter = numberParameters[name]
  if (text === null) return parameter.default
  const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN
  if (value >= min && value <= max) return value
  throw new Error(`expected ${name} to be an integer from ${min} to ${max}`)
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw new Error('expected user and password to be URL-encoded')
  }
}
