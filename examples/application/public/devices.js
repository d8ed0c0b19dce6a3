// @ts-check
import { call } from './api.js'
import { byId, element, showText, time } from './dom.js'
import { keep, readKept } from './storage.js'

/** @import { ApiError } from './api.js' */
/** @import { Session, Site } from './types.js' */

const words = {
  off: 'Off. This browser shows nothing when somebody notifies you.',
  on: 'On. This browser shows what is sent to you, also while this page is closed.',
  insecure: 'Not possible: browsers allow notifications only to pages that came by https: or from this machine.',
  unsupported: 'Not possible: this browser has no notifications from servers.',
  noKey: 'Not possible: the server has no VAPID key, so it sends nothing to browsers.',
  denied: 'Refused. Allow notifications for this page in the settings of the browser, then load the page again.',
  dismissed: 'Not decided: the browser’s question was closed without an answer.',
}

const mostReceived = 5

/** The browser keeps under this key whose its subscription is, since that stays when another user logs in. */
const ownerKey = 'device owner'

/** The part of the page that says whether this browser shows notifications, and changes it. */
export class ThisDevice {
  #allow = byId('allow', HTMLButtonElement)
  #stop = byId('stop', HTMLButtonElement)
  #state = byId('device-state', HTMLElement)
  #trouble = byId('device-trouble', HTMLElement)
  #received = byId('received', HTMLElement)
  #vapidPublicKey
  #owner
  /** @type {ServiceWorkerRegistration | undefined} */
  #registration
  /** @type {PushSubscription | undefined} */
  #subscription
  #listening = new AbortController()
  #opening

  /** @param {{ site: Site, session: Session }} options */
  constructor({ site, session }) {
    this.#vapidPublicKey = site.vapidPublicKey
    this.#owner = `${session.tenantId} ${session.userId}`
    this.#received.replaceChildren()
    showText(this.#trouble, '')
    this.#allow.onclick = () => this.#attempt(() => this.#subscribe())
    this.#stop.onclick = () => this.#attempt(() => this.forget())
    this.#opening = this.#attempt(() => this.#open())
  }

  /** The next user of this browser does not get this one's notifications. */
  async forget() {
    await this.#opening
    const subscription = this.#subscription
    if (!subscription) return
    try {
      await call('DELETE', '/devices', { body: { channel: 'web', address: subscription.endpoint } })
    } catch (error) {
      // The server has no device of that address, or no session any more: the browser's registration ends nevertheless.
      const { status } = /** @type {ApiError} */ (error)
      if (status !== 404 && status !== 401) throw error
    }
    this.#subscription = undefined
    keep('localStorage', ownerKey, undefined)
    this.#show('off')
    await subscription.unsubscribe()
  }

  close() {
    this.#listening.abort()
    this.#received.replaceChildren()
  }

  async #open() {
    const obstacle = this.#findObstacle()
    if (obstacle) return this.#show(obstacle)
    const { serviceWorker } = navigator
    serviceWorker.addEventListener('message', ({ data }) => this.#showReceived(data), {
      signal: this.#listening.signal,
    })
    try {
      this.#subscription = await this.#findOwnSubscription()
    } finally {
      this.#show(this.#subscription ? 'on' : 'off')
    }
    if (this.#subscription) await this.#register(this.#subscription)
  }

  /** One of another user or with another key is ended. */
  async #findOwnSubscription() {
    const subscription = await (await this.#findPushManager()).getSubscription()
    if (!subscription) return undefined
    if (readKept('localStorage', ownerKey) === this.#owner && hasKey(subscription, this.#vapidPublicKey))
      return subscription
    await subscription.unsubscribe()
    return undefined
  }

  async #findPushManager() {
    this.#registration ??= await navigator.serviceWorker
      .register('/service-worker.js')
      .catch((/** @type {Error} */ { message }) => {
        throw new Error(`The browser could not start the page’s service worker: ${message}`)
      })
    return this.#registration.pushManager
  }

  /** @returns {'insecure' | 'unsupported' | 'noKey' | 'denied' | undefined} */
  #findObstacle() {
    if (!isSecureContext) return 'insecure'
    if (!('serviceWorker' in navigator && 'PushManager' in window && 'Notification' in window)) return 'unsupported'
    if (this.#vapidPublicKey === null) return 'noKey'
    return Notification.permission === 'denied' ? 'denied' : undefined
  }

  async #subscribe() {
    const permission = await Notification.requestPermission()
    if (permission !== 'granted') return this.#show(permission === 'denied' ? 'denied' : 'dismissed')
    const pushManager = await this.#findPushManager()
    await navigator.serviceWorker.ready
    // The push service refuses a second subscription with another key.
    await (await pushManager.getSubscription())?.unsubscribe()
    const options = { userVisibleOnly: true, applicationServerKey: this.#vapidPublicKey }
    const subscription = await pushManager.subscribe(options).catch((/** @type {Error} */ { message }) => {
      throw new Error(`The browser could not register with its push service: ${message}`)
    })
    await this.#register(subscription)
  }

  /** @param {PushSubscription} subscription */
  async #register(subscription) {
    await call('POST', '/devices', { body: subscription })
    keep('localStorage', ownerKey, this.#owner)
    this.#subscription = subscription
    this.#show('on')
  }

  /** @param {() => Promise<void>} run */
  async #attempt(run) {
    this.#allow.disabled = true
    try {
      await run()
      showText(this.#trouble, '')
    } catch (error) {
      showText(this.#trouble, `${/** @type {Error} */ (error).message}.`.replace(/\.\.$/, '.'))
    } finally {
      this.#allow.disabled = false
    }
  }

  /** @param {keyof typeof words} state */
  #show(state) {
    this.#state.textContent = words[state]
    this.#state.dataset.state = state
    this.#allow.hidden = state !== 'off' && state !== 'dismissed'
    this.#stop.hidden = state !== 'on'
  }

  /** @param {{ type: string, title: string, body: string }} pushed */
  #showReceived({ type, title, body }) {
    if (type !== 'pushed') return
    const heading = element('p', { class: 'title', dir: 'auto' }, title)
    this.#received.prepend(
      element('li', { class: 'report' }, heading, time(new Date()), element('p', { dir: 'auto' }, body)),
    )
    while (this.#received.children.length > mostReceived) this.#received.lastElementChild?.remove()
  }
}

/**
 * @param {PushSubscription} subscription
 * @param {string | null} vapidPublicKey
 */
function hasKey({ options }, vapidPublicKey) {
  const bytes = new Uint8Array(options.applicationServerKey ?? new ArrayBuffer(0))
  const base64 = btoa(String.fromCharCode(...bytes))
  return base64.replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '') === vapidPublicKey
}
