// @ts-check
import { call } from './api.js'
import { byId, element, showText } from './dom.js'
import { describeEmail, describePush, isSettled } from './words.js'

/** @import { Report } from './types.js' */

const pollMs = [300, 500, 1_000, 2_000, 3_000]

/** After this long the last answer stands. */
const patienceMs = 120_000

const mostReports = 5

/**
 * The form that notifies everybody of the tenant, and what became of it.
 *
 * @param {{ onNotified: (notificationId: string) => void }} options
 * @returns {() => void} ends it
 */
export function openNotifyForm({ onNotified }) {
  const form = byId('notify', HTMLFormElement)
  const title = byId('notify-title', HTMLInputElement)
  const text = byId('notify-text', HTMLTextAreaElement)
  const alsoByMail = byId('notify-mail', HTMLInputElement)
  const trouble = byId('notify-trouble', HTMLElement)
  const reports = byId('reports', HTMLElement)
  const listening = new AbortController()
  reports.replaceChildren()

  /** @param {SubmitEvent} event */
  async function notify(event) {
    event.preventDefault()
    const submit = byId('notify-submit', HTMLButtonElement)
    submit.disabled = true
    try {
      const body = { title: title.value, body: text.value, sendEmail: alsoByMail.checked }
      const { notificationId } = await call('POST', '/notifications', { body })
      showText(trouble, '')
      form.reset()
      onNotified(notificationId)
      const item = element('li', { class: 'report' })
      reports.prepend(item)
      while (reports.children.length > mostReports) reports.lastElementChild?.remove()
      void follow(notificationId, item, listening.signal)
    } catch (error) {
      showText(trouble, describeRefusal(error))
    } finally {
      submit.disabled = false
    }
  }

  form.addEventListener('submit', notify, { signal: listening.signal })
  return () => listening.abort()
}

/** @param {any} error */
function describeRefusal({ message, accepted }) {
  if (accepted === 'unknown')
    return `No answer: ${message}. It may have been accepted: look into the audit trail first.`
  return `Not accepted: ${message}.`
}

/**
 * Asks again and again what each channel did, until that is settled.
 *
 * @param {string} notificationId
 * @param {HTMLElement} item
 * @param {AbortSignal} signal
 */
async function follow(notificationId, item, signal) {
  const until = Date.now() + patienceMs
  for (let attempt = 0; !signal.aborted; attempt += 1) {
    try {
      /** @type {Report} */
      const report = await call('GET', `/notifications/${notificationId}`, { signal })
      item.replaceChildren(...renderReport(report))
      if (isSettled(report) || Date.now() > until) return
    } catch {
      // The page says elsewhere what is away, and what is known already stays in place.
      if (Date.now() > until) return
    }
    await new Promise((resolve) => setTimeout(resolve, pollMs[Math.min(attempt, pollMs.length - 1)]))
  }
}

/** @param {Report} report */
function renderReport({ title, push, email }) {
  const channels = element(
    'dl',
    {},
    ...renderChannel('Push', describePush(push)),
    ...renderChannel('Mail', describeEmail(email)),
  )
  return [element('p', { class: 'title', dir: 'auto' }, title), channels]
}

/**
 * @param {string} name
 * @param {string[]} lines
 */
function renderChannel(name, lines) {
  return [element('dt', {}, name), ...lines.map((line) => element('dd', {}, line))]
}
