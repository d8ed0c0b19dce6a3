import { Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { answerError } from './answer-error.js'
import { addChatRoutes } from './chat-routes.js'
import { addDeviceRoutes } from './device-routes.js'
import { addHealthRoutes } from './health-routes.js'
import { addNotificationRoutes } from './notification-routes.js'
import { addPageRoutes } from './page-routes.js'
import { refuseForeignOrigins } from './refuse-foreign-origins.js'
import { addSessionRoutes, requireSession } from './session-routes.js'
import type { Routes, Site, SiteEnv } from './site.js'

/** The largest message, and what JSON adds to it. */
const maxBodyBytes = 1024 * 1024

/** All that the application answers. What comes after `requireSession` is of the session's tenant and no other. */
export function createSite(site: Site): Routes {
  const routes: Routes = new Hono<SiteEnv>()
  routes.onError((error, context) => answerError(context, error, site.onError))
  routes.notFound((context) => context.json({ error: 'Nothing is here' }, 404))
  addPageRoutes(routes, site.page)
  routes.use(async (context, next) => {
    await next()
    context.header('cache-control', 'no-store')
  })
  addHealthRoutes(routes, site)
  routes.use(refuseForeignOrigins(site.publicOrigin))
  routes.use(
    bodyLimit({
      maxSize: maxBodyBytes,
      onError: (context) => context.json({ error: 'The request is too large' }, 413),
    }),
  )
  addSessionRoutes(routes, site)
  routes.use(requireSession(site))
  addChatRoutes(routes, site)
  addNotificationRoutes(routes, site)
  addDeviceRoutes(routes, site)
  return routes
}
