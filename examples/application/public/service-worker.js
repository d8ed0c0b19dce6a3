// @ts-check

/** @typedef {{ title: string, body: string, data?: { url?: string }, tag: string }} Pushed what push-worker sends */

const worker = /** @type {ServiceWorkerGlobalScope} */ (/** @type {unknown} */ (globalThis))

worker.addEventListener('install', () => worker.skipWaiting())
worker.addEventListener('activate', (event) => event.waitUntil(worker.clients.claim()))

worker.addEventListener('push', (event) => {
  if (event.data) event.waitUntil(show(event.data.json()))
})

worker.addEventListener('notificationclick', (event) => {
  event.notification.close()
  const { origin } = worker.location
  const url = new URL(event.notification.data?.url ?? '/', origin)
  event.waitUntil(openPage(url.origin === origin ? url : new URL('/', origin)))
})

worker.addEventListener('pushsubscriptionchange', (event) => {
  event.waitUntil(renew(/** @type {PushSubscriptionChangeEvent} */ (event)))
})

/** The pages that are open tell of it too. @param {Pushed} pushed */
async function show({ title, body, data, tag }) {
  await worker.registration.showNotification(title, { body, data, tag, icon: '/icon.svg' })
  for (const page of await findPages()) page.postMessage({ type: 'pushed', title, body })
}

/** A page that is open comes to the front; else one is opened. @param {URL} url */
async function openPage(url) {
  const pages = await findPages()
  const [page] = pages.filter((client) => new URL(client.url).pathname === url.pathname)
  return page ? await page.focus() : await worker.clients.openWindow(url)
}

const findPages = () => worker.clients.matchAll({ type: 'window', includeUncontrolled: true })

/**
 * Some browsers leave it to the page to subscribe again, and some tell neither of the two. Without a session nobody is to be
 * notified here, so nothing is sent.
 *
 * @param {PushSubscriptionChangeEvent} event
 */
async function renew({ oldSubscription, newSubscription }) {
  const { pushManager } = worker.registration
  const subscription =
    newSubscription ??
    (oldSubscription && (await pushManager.subscribe(oldSubscription.options))) ??
    (await pushManager.getSubscription())
  const session = await fetch('/session')
  if (!subscription || !session.ok) return
  const { csrfToken } = await session.json()
  await fetch('/devices', {
    method: 'PUT',
    headers: { 'content-type': 'application/json', 'x-csrf-token': csrfToken },
    body: JSON.stringify({ oldEndpoint: oldSubscription?.endpoint, subscription }),
  })
}
