// @ts-check
import { call } from './api.js'
import { delayAfter } from './delay.js'
import { byId, element, showText, time } from './dom.js'
import { count } from './words.js'

/** @import { ApiError } from './api.js' */
/** @import { AuditEvent } from './types.js' */

const lookAgainMs = [300, 700, 1_500, 3_000, 5_000, 10_000]

/** The delay after something that may have been an event of somebody else. */
const soonMs = 1_000

const mostShown = 15

/** The server tells of no more events than that at once. */
const mostAnswered = 100

/** The newest events of the tenant. What was just done on this page is looked for until it is there. */
export class AuditTrail {
  #list = byId('events', HTMLElement)
  #state = byId('audit-state', HTMLElement)
  #trouble = byId('audit-trouble', HTMLElement)
  #nameOf
  /** @type {Map<string, HTMLElement>} by the event's id */
  #shown = new Map()
  /** @type {Map<string, number>} since when an event is to tell of the thing with this id, in milliseconds since 1970 */
  #expected = new Map()
  #timer = 0
  #dueAt = Number.POSITIVE_INFINITY
  #attempt = 0
  #isOpen = true

  /** @param {{ nameOf: (userId: string) => string }} options */
  constructor({ nameOf }) {
    this.#nameOf = nameOf
    byId('refresh-audit', HTMLButtonElement).onclick = () => this.refresh()
    void this.refresh()
  }

  /** Something was done that the trail will tell of. @param {string} id of the thing that was done */
  expect(id) {
    this.#expected.set(id, Date.now())
    this.#attempt = 0
    this.#showExpected()
    this.#lookAgain()
  }

  /** Something may have happened. */
  refreshSoon() {
    this.#refreshIn(soonMs)
  }

  close() {
    this.#isOpen = false
    clearTimeout(this.#timer)
    this.#expected.clear()
    this.#showExpected()
    this.#list.replaceChildren()
  }

  async refresh() {
    clearTimeout(this.#timer)
    this.#dueAt = Number.POSITIVE_INFINITY
    try {
      /** @type {AuditEvent[]} */
      const events = await call('GET', '/audit-events')
      if (!this.#isOpen) return
      showText(this.#trouble, '')
      this.#show(events.slice(0, mostShown))
      this.#forgetRecorded(events)
      this.#forgetOlderThan(events[mostAnswered - 1])
      this.#showExpected()
    } catch (error) {
      if (!this.#isOpen) return
      const { message, isUnavailable } = /** @type {ApiError} */ (error)
      if (!isUnavailable) showText(this.#trouble, `The audit trail cannot be read: ${message}.`)
    }
    if (this.#expected.size > 0) this.#lookAgain()
  }

  #lookAgain() {
    this.#refreshIn(delayAfter(this.#attempt, lookAgainMs))
    this.#attempt += 1
  }

  /** A refresh that is due earlier stays. @param {number} delayMs */
  #refreshIn(delayMs) {
    const dueAt = Date.now() + delayMs
    if (dueAt >= this.#dueAt) return
    clearTimeout(this.#timer)
    this.#dueAt = dueAt
    this.#timer = setTimeout(() => this.refresh(), delayMs)
  }

  /** An event that is shown already stays as it is: unfolded, or with the focus. @param {AuditEvent[]} events */
  #show(events) {
    const ids = new Set(events.map(({ eventId }) => eventId))
    for (const [eventId, item] of this.#shown) {
      if (ids.has(eventId)) continue
      item.remove()
      this.#shown.delete(eventId)
    }
    byId('no-events', HTMLElement).hidden = events.length > 0
    for (const [index, event] of events.entries()) {
      if (this.#shown.has(event.eventId)) continue
      const item = this.#render(event)
      this.#shown.set(event.eventId, item)
      this.#list.insertBefore(item, this.#list.children[index] ?? null)
    }
  }

  /** @param {AuditEvent[]} events */
  #forgetRecorded(events) {
    for (const id of this.#expected.keys()) {
      const isRecorded = events.some(({ entityId, changes }) => entityId === id || changes.includes(JSON.stringify(id)))
      if (isRecorded) this.#expected.delete(id)
    }
  }

  /** The server tells no more of what was done before. @param {AuditEvent | undefined} oldest of a full answer */
  #forgetOlderThan(oldest) {
    if (!oldest) return
    const oldestAt = Date.parse(oldest.occurredAt)
    for (const [id, since] of this.#expected) if (since < oldestAt) this.#expected.delete(id)
  }

  #showExpected() {
    const { size } = this.#expected
    showText(this.#state, size === 0 ? '' : `${count(size, 'event is', 'events are')} on the way.`)
  }

  /** @param {AuditEvent} event */
  #render({ occurredAt, eventType, userId, entityType, entityId, changes }) {
    return element(
      'li',
      {},
      element('p', {}, element('code', {}, eventType), ' ', time(occurredAt)),
      element('p', { class: 'who', dir: 'auto' }, `${this.#nameOf(userId)} · ${entityType} ${entityId}`),
      element('details', {}, element('summary', {}, 'Changes'), element('pre', { dir: 'auto' }, changes)),
    )
  }
}
