import { RealtimeError } from './realtime-error.js'

/** A token is renewed once a day at least: browsers have no timers for longer than 24 days. */
const maxLifetimeMs = 24 * 60 * 60 * 1000

interface Clock {
  /** Milliseconds of a clock that nobody sets, but that may stop while a computer sleeps. */
  uptime: number
  /** Milliseconds since 1970, which may be wrong. */
  time: number
}

export function readClock(): Clock {
  return { uptime: performance.now(), time: Date.now() }
}

/**
 * What the client reads in its token. Its age is counted from when it was asked for, because the clock of the computer may
 * be wrong; so `getToken` must give a new token, not one from a cache.
 */
export class RealtimeToken {
  readonly value: string
  readonly subject: string
  readonly tenantId: number
  readonly #lifetimeMs: number
  readonly #renewAfterMs: number
  readonly #askedAt: Clock
  readonly #scopes: readonly RegExp[]

  /** @throws RealtimeError `TOKEN_INVALID` */
  constructor(value: unknown, askedAt: Clock, random = Math.random) {
    const { sub, iat, exp, scope } = readClaims(value)
    const [, tenantId] = /^([1-9]\d{0,15})\.[^.]+$/.exec(String(sub)) ?? []
    if (tenantId === undefined) throw invalid('its subject is not that of createRealtimeToken')
    if (typeof iat !== 'number' || typeof exp !== 'number' || exp <= iat) throw invalid('it has no time (iat, exp)')
    this.value = String(value)
    this.subject = String(sub)
    this.tenantId = Number(tenantId)
    this.#lifetimeMs = Math.min((exp - iat) * 1000, maxLifetimeMs)
    this.#renewAfterMs = chooseRenewal(this.#lifetimeMs, random)
    this.#askedAt = askedAt
    this.#scopes = String(scope).split(' ').flatMap(toPattern)
  }

  /** Whether it lets the browser hear this topic. */
  allows(topic: string): boolean {
    const routingKey = topic.replaceAll('/', '.')
    return this.#scopes.some((pattern) => pattern.test(routingKey))
  }

  /** `uptime`: milliseconds of `performance.now()`. */
  wasAskedForSince(uptime: number): boolean {
    return this.#askedAt.uptime >= uptime
  }

  get endsInMs(): number {
    return this.#lifetimeMs - this.#ageMs
  }

  get renewInMs(): number {
    return this.#renewAfterMs - this.#ageMs
  }

  /** By the clock that has gone farther: a token that is renewed too early does no harm. */
  get #ageMs(): number {
    const { uptime, time } = readClock()
    return Math.max(uptime - this.#askedAt.uptime, time - this.#askedAt.time)
  }
}

/**
 * At 80 % of its time or 30 s before its end, whichever is earlier, but not in its first half; and up to a tenth of its time
 * sooner, because the browsers that connected together must not come together.
 */
function chooseRenewal(lifetimeMs: number, random: () => number): number {
  const latest = Math.max(Math.min(0.8 * lifetimeMs, lifetimeMs - 30_000), lifetimeMs / 2)
  return latest - random() * 0.1 * lifetimeMs
}

/** The routing keys of a scope `mono.read:<vhost>/realtime/<routing key>`, in which `*` stands for any text. */
function toPattern(scope: string): RegExp[] {
  const [, key] = /^mono\.read:[^/]+\/realtime\/([^/]+)$/.exec(scope) ?? []
  if (key === undefined) return []
  try {
    const parts = key.split('*').map((part) => decodeURIComponent(part).replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'))
    return [new RegExp(`^${parts.join('.*')}$`, 's')]
  } catch {
    return []
  }
}

function readClaims(value: unknown): Record<string, unknown> {
  if (typeof value !== 'string') throw invalid(`getToken gave a value of the type ${typeof value}`)
  const [, payload = '', , ...rest] = value.split('.')
  if (rest.length > 0 || payload === '') throw invalid('it is no JSON Web Token')
  try {
    const bytes = Uint8Array.from(atob(payload.replaceAll('-', '+').replaceAll('_', '/')), (c) => c.charCodeAt(0))
    return Object(JSON.parse(new TextDecoder().decode(bytes)))
  } catch (cause) {
    throw invalid('it is no JSON Web Token', cause)
  }
}

function invalid(reason: string, cause?: unknown): RealtimeError {
  const message = `getToken must give the text that the server's createRealtimeToken has made; ${reason}`
  return new RealtimeError('TOKEN_INVALID', message, { cause })
}
