import type { Routes, Site } from './site.js'

/** Answered or given up sooner than other statements: whoever asks for the health waits a few seconds. */
const probe = { text: 'SELECT 1', query_timeout: 3_000 }

export function addHealthRoutes(routes: Routes, { pool, messageQueue, renderMetrics }: Site): void {
  routes.get('/livez', (context) => context.json({ status: 'alive' }))

  /** While the broker is away the application takes what it is given, so that is no reason to turn people away. */
  routes.get('/readyz', async (context) => {
    const broker = messageQueue.connected ? 'connected' : 'away'
    try {
      await pool.query(probe)
      return context.json({ status: 'ready', database: 'connected', broker })
    } catch {
      return context.json({ status: 'not-ready', database: 'away', broker }, 503)
    }
  })

  routes.get('/metrics', async (context) => {
    const { contentType, text } = await renderMetrics()
    return context.body(text, 200, { 'content-type': contentType })
  })
}
