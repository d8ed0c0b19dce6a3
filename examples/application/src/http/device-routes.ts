import { z } from 'zod'
import type { Device } from '../data/devices.js'
import { NotFoundError } from '../errors.js'
import { text } from './fields.js'
import { readBody } from './read-body.js'
import type { Routes, Site } from './site.js'

const address = text.min(1).max(2_048)

/** As `JSON.stringify(subscription)` of a browser has it, which may hold more. */
const subscription = z
  .object({ endpoint: z.url({ protocol: /^https$/ }).max(2_048), keys: z.object({ p256dh: text, auth: text }) })
  .transform(({ endpoint, keys }): Device => ({ channel: 'web', address: endpoint, ...keys }))

const phone = z.discriminatedUnion('channel', [
  z.strictObject({ channel: z.literal('fcm'), address, kind: z.enum(['token', 'fid']).default('token') }),
  z.strictObject({
    channel: z.literal('apns'),
    address: address.regex(/^([0-9a-f]{2})+$/i, 'expected hexadecimal digits'),
    environment: z.enum(['production', 'sandbox']).default('production'),
  }),
])

const device = z.union([phone, subscription])

const renewal = z.strictObject({ oldEndpoint: address.optional(), subscription })

const named = z.strictObject({ channel: z.enum(['web', 'fcm', 'apns']), address })

export function addDeviceRoutes(routes: Routes, { transact }: Site): void {
  routes.get('/devices', async (context) => {
    return context.json(await transact(({ db }) => db.device.list(context.get('session'))))
  })

  routes.post('/devices', async (context) => {
    const registered = await readBody(context, device)
    await transact(({ db }) => db.device.register(context.get('session'), registered))
    return context.body(null, 204)
  })

  /** A browser has renewed its subscription. The old one is taken away if it is the user's own. */
  routes.put('/devices', async (context) => {
    const { oldEndpoint, subscription: renewed } = await readBody(context, renewal)
    await transact(async ({ db }) => {
      await db.device.register(context.get('session'), renewed)
      if (oldEndpoint === undefined || oldEndpoint === renewed.address) return
      await db.device.remove(context.get('session'), { channel: 'web', address: oldEndpoint }).catch(ignoreNotFound)
    })
    return context.body(null, 204)
  })

  routes.delete('/devices', async (context) => {
    const removed = await readBody(context, named)
    await transact(({ db }) => db.device.remove(context.get('session'), removed))
    return context.body(null, 204)
  })
}

function ignoreNotFound(error: unknown): void {
  if (!(error instanceof NotFoundError)) throw error
}
