import { timingSafeEqual } from 'node:crypto'
import type { MiddlewareHandler } from 'hono'
import { deleteCookie, getCookie, setCookie } from 'hono/cookie'
import { z } from 'zod'
import { RefusedError } from '../errors.js'
import { createSession, endSession, findSession, listDemoUsers } from '../services/session.service.js'
import { id, readBody } from './input.js'
import { isSafe } from './refuse-foreign-origins.js'
import type { Routes, Site, SiteEnv } from './site.js'

const cookie = 'example-session'

const user = z.strictObject({ tenantId: z.int().positive(), userId: id })

export function addSessionRoutes(routes: Routes, { transact, publicOrigin }: Site): void {
  const secure = publicOrigin?.startsWith('https:') ?? false

  routes.get('/demo-users', async (context) => context.json(await transact(listDemoUsers)))

  routes.post('/session', async (context) => {
    const chosen = await readBody(context, user)
    const { token, csrfToken } = await transact((work) => createSession(work, chosen))
    setCookie(context, cookie, token, { httpOnly: true, sameSite: 'Strict', path: '/', secure })
    return context.json({ ...chosen, csrfToken }, 201)
  })

  routes.use('/session', requireSession({ transact }))
  routes.get('/session', (context) => context.json(context.get('session')))
  routes.delete('/session', async (context) => {
    const token = getCookie(context, cookie) ?? ''
    await transact((work) => endSession(work, token))
    deleteCookie(context, cookie, { path: '/' })
    return context.body(null, 204)
  })
}

/**
 * Needs a session and, for whatever may change something, the session's token in the header `x-csrf-token`. A page that sends
 * the token when it reads is told nothing of another session, which another window of its browser may have begun.
 */
export function requireSession({ transact }: Pick<Site, 'transact'>): MiddlewareHandler<SiteEnv> {
  return async (context, next) => {
    const token = getCookie(context, cookie)
    const session = token && (await transact((work) => findSession(work, token)))
    if (!session) throw new RefusedError(401, 'Log in first')
    const given = context.req.header('x-csrf-token')
    const isNeeded = given !== undefined || !isSafe(context.req.method)
    if (isNeeded && !isSame(given ?? '', session.csrfToken)) {
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
