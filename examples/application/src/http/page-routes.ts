import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { serveStatic } from '@hono/node-server/serve-static'
import { every } from 'hono/combine'
import { etag } from 'hono/etag'
import { secureHeaders } from 'hono/secure-headers'
import type { Page, Routes } from './site.js'

const root = fileURLToPath(new URL('../../public', import.meta.url))
const require = createRequire(import.meta.url)

/** The page's files, and the two modules that it imports by name. Nothing of it needs a session. */
export function addPageRoutes(routes: Routes, page: Page): void {
  // The owner of a host says whether it is reached by https: alone.
  routes.use(secureHeaders({ contentSecurityPolicy: createPolicy(page), strictTransportSecurity: false }))
  const ask = every(etag(), async (context, next) => {
    await next()
    context.header('cache-control', 'no-cache')
  })
  routes.get('/', ask, serveStatic({ root }))
  routes.get('/realtime.js', ask, serveStatic({ path: require.resolve('@mono/realtime/browser') }))
  routes.get('/mqtt.js', ask, serveStatic({ path: require.resolve('mqtt/dist/mqtt.esm') }))
  routes.get('/:file{.+\\.(css|js|svg)}', ask, serveStatic({ root }))
  routes.get('/site', ask, (context) => context.json(page))
}

/** Scripts and styles are files of this site; the one inline script, which names the modules, is known by its digest. */
function createPolicy({ realtimeUrls }: Page) {
  const html = readFileSync(`${root}/index.html`, 'utf8')
  const [, importMap = ''] = /<script type="importmap">(.*?)<\/script>/s.exec(html) ?? []
  const digest = createHash('sha256').update(importMap).digest('base64')
  return {
    defaultSrc: ["'none'"],
    scriptSrc: ["'self'", `'sha256-${digest}'`],
    styleSrc: ["'self'"],
    imgSrc: ["'self'"],
    connectSrc: ["'self'", ...realtimeUrls],
    // mqtt.js keeps its time in a worker.
    workerSrc: ["'self'", 'blob:'],
    baseUri: ["'none'"],
    formAction: ["'none'"],
    frameAncestors: ["'none'"],
  }
}
