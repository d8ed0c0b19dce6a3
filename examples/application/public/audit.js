// @ts-check
import { call } from './api.js'
import { byId, element, showText, time } from './dom.js'
import { count } from './words.js'

/** @import { AuditEvent } from './types.js' */

const lookAgainMs = [300, 700, 1_500, 3_000, 5_000]

/** What was not recorded by then is not waited for any more; the list goes on being refreshed by what happens next. */
const patienceMs = 120_000

const mostShown = 30

/** The newest events of the tenant. What was just done on this page is looked for until it is there. */
export class AuditTrail {
  #list = byId('events', HTMLElement)
  #state = byId('audit-state', HTMLElement)
  #trouble = byId('audit-trouble', HTMLElement)
  #nameOf
  /** @type {Map<string, number>} by the id that the event tells of, when it was done */
  #expected = new Map()
  #timer = 0
  #attempt = 0
  #isOpen = true

  /** @param {{ nameOf: (userId: string) => string }} options */
  constructor({ nameOf }) {
    this.#nameOf = nameOf
    byId('refresh-audit', HTMLButtonElement).onclick = () => this.#refresh()
    this.#list.replaceChildren()
    void this.#refresh()
  }

  /** Something was done that the trail will tell of. @param {string} id of the thing that was done */
  expect(id) {
    this.#expected.set(id, Date.now())
    this.#attempt = 0
    this.#showExpected()
    this.#refreshLater()
  }

  /** Something may have happened. */
  refreshSoon() {
    this.#attempt = Math.max(this.#attempt, 2)
    this.#refreshLater()
  }

  close() {
    this.#isOpen = false
    clearTimeout(this.#timer)
  }

  #refreshLater() {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.#refresh(), lookAgainMs[Math.min(this.#attempt, lookAgainMs.length - 1)])
    this.#attempt += 1
  }

  async #refresh() {
    try {
      /** @type {AuditEvent[]} */
      const events = await call('GET', '/audit-events')
      if (!this.#isOpen) return
      showText(this.#trouble, '')
      this.#list.replaceChildren(...events.slice(0, mostShown).map((event) => this.#render(event)))
      this.#forgetRecorded(events)
    } catch (error) {
      if (this.#isOpen)
        showText(this.#trouble, `The audit trail cannot be read: ${/** @type {Error} */ (error).message}.`)
    }
    if (this.#isOpen && this.#expected.size > 0) this.#refreshLater()
  }

  /** @param {AuditEvent[]} events */
  #forgetRecorded(events) {
    for (const [id, doneAt] of this.#expected) {
      const isRecorded = events.some(({ entityId, changes }) => entityId === id || changes.includes(JSON.stringify(id)))
      if (isRecorded || Date.now() - doneAt > patienceMs) this.#expected.delete(id)
    }
    this.#showExpected()
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
