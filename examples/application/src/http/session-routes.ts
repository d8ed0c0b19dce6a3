import { z } from 'zod'
import { id } from './fields.js'
import { requireSession } from './guard.js'
import { readBody } from './read-body.js'
import { readSessionToken, removeSessionToken, writeSessionToken } from './session-cookie.js'
import type { Routes, Site } from './site.js'

const user = z.strictObject({ tenantId: z.int().positive(), userId: id })

export function addSessionRoutes(routes: Routes, { transact, publicOrigin, ...site }: Site): void {
  routes.get('/demo-users', async (context) => context.json(await transact(({ db }) => db.user.listForLogin())))

  routes.post('/session', async (context) => {
    const chosen = await readBody(context, user)
    const { token, csrfToken } = await transact(({ db }) => db.session.create(chosen))
    writeSessionToken(context, token, publicOrigin)
    return context.json({ ...chosen, csrfToken }, 201)
  })

  routes.get('/session', requireSession({ transact, ...site }), (context) => context.json(context.get('session')))

  routes.delete('/session', requireSession({ transact, ...site }), async (context) => {
    const token = readSessionToken(context) ?? ''
    await transact(({ db }) => db.session.remove(token))
    removeSessionToken(context)
    return context.body(null, 204)
  })
}
