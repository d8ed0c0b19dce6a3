import type { MiddlewareHandler } from 'hono'
import { RefusedError } from '../errors.js'

export const isSafe = (method: string) => method === 'GET' || method === 'HEAD'

/**
 * Browsers name the origin of whatever may change something. Programs name none, and have no cookies that they do not know
 * of. Hono's `csrf` lets a foreign origin pass whose request says that it is JSON, and asks programs for an origin.
 */
export function refuseForeignOrigins(publicOrigin: string | undefined): MiddlewareHandler {
  return async ({ req }, next) => {
    const origin = req.header('origin')
    // Without a public origin the hosts are compared: a proxy may speak another protocol than this server.
    const isOwn = (given: string) =>
      publicOrigin === undefined
        ? URL.canParse(given) && new URL(given).host === new URL(req.url).host
        : given === new URL(publicOrigin).origin
    if (!isSafe(req.method) && origin !== undefined && !isOwn(origin)) {
      throw new RefusedError(403, 'Only this site’s own pages may do that')
    }
    await next()
  }
}
