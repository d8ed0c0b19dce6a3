import { timingSafeEqual } from 'node:crypto'
import type { MiddlewareHandler } from 'hono'
import { RefusedError } from '../errors.js'
import { readSessionToken } from './session-cookie.js'
import type { Site, SiteEnv } from './site.js'

const isSafe = (method: string) => method === 'GET' || method === 'HEAD'

/**
 * Browsers name the origin of whatever may change something. Programs name none, and have no cookies that they do not know of.
 */
export function refuseForeignOrigins({ publicOrigin }: Pick<Site, 'publicOrigin'>): MiddlewareHandler {
  return async ({ req }, next) => {
    const origin = req.header('origin')
    const isOwn = (given: string) =>
      publicOrigin === undefined ? hostOf(given) === new URL(req.url).host : given === new URL(publicOrigin).origin
    if (!isSafe(req.method) && origin !== undefined && !isOwn(origin)) {
      throw new RefusedError(403, 'Only this site’s own pages may do that')
    }
    await next()
  }
}

function hostOf(origin: string): string | undefined {
  return URL.canParse(origin) ? new URL(origin).host : undefined
}

/** Needs a session and, for whatever may change something, the session's token in the header `x-csrf-token`. */
export function requireSession({ transact }: Pick<Site, 'transact'>): MiddlewareHandler<SiteEnv> {
  return async (context, next) => {
    const token = readSessionToken(context)
    const session = token && (await transact(({ db }) => db.session.find(token)))
    if (!session) throw new RefusedError(401, 'Log in first')
    if (!isSafe(context.req.method) && !isSame(context.req.header('x-csrf-token') ?? '', session.csrfToken)) {
      throw new RefusedError(403, 'The page’s token is missing or is not this session’s: load the page again')
    }
    context.set('session', session)
    await next()
  }
}

function isSame(given: string, wanted: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(wanted)]
  return a.length === b.length && timingSafeEqual(a, b)
}
