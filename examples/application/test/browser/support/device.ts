import type { PushDevice } from '@mono/test-support'
import type { BrowserContext } from 'playwright-core'
import type { SiteWindow } from './site-window.js'

/**
 * A browser that is registered at the test's own push service: Chromium without a window has none. All else, what the page
 * makes of the registration and what its service worker shows, is Chromium's.
 */
export async function registerAt(context: BrowserContext, { endpoint, p256dh, auth }: PushDevice): Promise<void> {
  await context.grantPermissions(['notifications'])
  await context.addInitScript(
    (json) => {
      const manager = Reflect.get(globalThis, 'PushManager').prototype
      const subscription = { ...json, options: {}, toJSON: () => json, unsubscribe: async () => true }
      let given: unknown = null
      manager.subscribe = async () => {
        given = subscription
        return subscription
      }
      manager.getSubscription = async () => given
    },
    { endpoint, expirationTime: null, keys: { p256dh, auth } },
  )
}

export interface ShownNotification {
  title: string
  body: string
}

/** Hands a payload to the page's service worker, as the browser does when it has decrypted it. */
export async function deliver({ context, page }: SiteWindow, payload: string): Promise<void> {
  const devTools = await context.newCDPSession(page)
  const listed = new Promise<string | undefined>((resolve) => {
    devTools.once('ServiceWorker.workerRegistrationUpdated', ({ registrations }) =>
      resolve(registrations[0]?.registrationId),
    )
  })
  await devTools.send('ServiceWorker.enable')
  const registrationId = await listed
  if (registrationId === undefined) throw new Error('Expected the page to have a service worker, found none')
  const { origin } = new URL(page.url())
  await devTools.send('ServiceWorker.deliverPushMessage', {
    origin,
    registrationId,
    data: payload,
  })
  await devTools.detach()
}

/** The notifications that the page's service worker shows at present. */
export async function listShown({ page }: SiteWindow): Promise<ShownNotification[]> {
  return await page.evaluate(`(async () => {
    const { getNotifications } = ServiceWorkerRegistration.prototype
    const shown = await getNotifications.call(await navigator.serviceWorker.ready)
    return shown.map(({ title, body }) => ({ title, body }))
  })()`)
}
