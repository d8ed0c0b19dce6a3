import type { PushDevice } from '@mono/test-support'
import type { BrowserContext } from 'playwright-core'
import type { SiteWindow } from './site-window.js'

/**
 * A browser that is registered at the test's own push service: Chromium without a window has none. All else, what the page
 * makes of the registration and what its service worker shows, is Chromium's. The browser keeps its registration when the
 * page is loaded again.
 */
export async function registerAt(context: BrowserContext, { endpoint, p256dh, auth }: PushDevice): Promise<void> {
  await context.grantPermissions(['notifications'])
  await context.addInitScript(
    (json) => {
      const manager = Reflect.get(globalThis, 'PushManager').prototype
      const storage = Reflect.get(globalThis, 'localStorage')
      const key = 'subscription of the test'
      const create = (base64: string) => ({
        ...json,
        options: {
          applicationServerKey: Uint8Array.from(atob(base64.replaceAll('-', '+').replaceAll('_', '/')), (character) =>
            character.charCodeAt(0),
          ).buffer,
        },
        toJSON: () => json,
        unsubscribe: async () => {
          storage.removeItem(key)
          return true
        },
      })
      manager.subscribe = async ({ applicationServerKey }: { applicationServerKey: string }) => {
        storage.setItem(key, applicationServerKey)
        return create(applicationServerKey)
      }
      manager.getSubscription = async () => {
        const given = storage.getItem(key)
        return given === null ? null : create(given)
      }
    },
    { endpoint, expirationTime: null, keys: { p256dh, auth } },
  )
}

export interface ShownNotification {
  title: string
  body: string
}

/** True if the browser itself still has its registration, whatever the server has. */
export async function isRegistered({ page }: SiteWindow): Promise<boolean> {
  return await page.evaluate(
    'navigator.serviceWorker.ready.then(({ pushManager }) => pushManager.getSubscription()).then((given) => given !== null)',
  )
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

/**
 * The notifications that the page's service worker shows at present.
 *
 * @returns none, too, if Chromium does not answer within 5 s, as happens on a busy machine: ask again
 */
export async function listShown({ page }: SiteWindow): Promise<ShownNotification[]> {
  return await page.evaluate(`(async () => {
    const { getNotifications } = ServiceWorkerRegistration.prototype
    const shown = navigator.serviceWorker.ready.then((registration) => getNotifications.call(registration))
    const patience = new Promise((resolve) => setTimeout(resolve, 5_000, []))
    return (await Promise.race([shown, patience])).map(({ title, body }) => ({ title, body }))
  })()`)
}
