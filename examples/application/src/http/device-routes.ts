import { z } from 'zod'
import { type Device, listDevices, registerDevice, removeDevice, replaceDevice } from '../services/device.service.js'
import { readBody, text } from './input.js'
import type { Routes, Site } from './site.js'

const address = text.min(1).max(2_048)

/** As `JSON.stringify(subscription)` of a browser has it, which may hold more. */
const subscription = z
  .object({ endpoint: address.pipe(z.url({ protocol: /^https$/ })), keys: z.object({ p256dh: text, auth: text }) })
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
    return context.json(await transact((work) => listDevices(work, context.get('session'))))
  })

  routes.post('/devices', async (context) => {
    const registered = await readBody(context, device)
    await transact((work) => registerDevice(work, context.get('session'), registered))
    return context.body(null, 204)
  })

  routes.put('/devices', async (context) => {
    const { oldEndpoint, subscription: renewed } = await readBody(context, renewal)
    await transact((work) => replaceDevice(work, context.get('session'), renewed, oldEndpoint))
    return context.body(null, 204)
  })

  routes.delete('/devices', async (context) => {
    const removed = await readBody(context, named)
    await transact((work) => removeDevice(work, context.get('session'), removed))
    return context.body(null, 204)
  })
}
