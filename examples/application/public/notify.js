// @ts-check
import { call } from './api.js'
import { createId } from './create-id.js'
import { delayAfter, wait } from './delay.js'
import { byId, element, showText } from './dom.js'
import { DoubtfulNotifications } from './doubtful-notifications.js'
import { describeEmail, describePush, isSettled } from './words.js'

/** @import { ApiError } from './api.js' */
/** @import { Report, Session } from './types.js' */

const pollMs = [300, 500, 1_000, 2_000, 3_000, 10_000]

const mostReports = 5

/**
 * The form that notifies everybody of the tenant, and what became of it.
 *
 * @param {{ session: Session, onNotified: (notificationId: string) => void }} options
 * @returns {() => void} ends it
 */
export function openNotifyForm({ session, onNotified }) {
  const form = byId('notify', HTMLFormElement)
  const title = byId('notify-title', HTMLInputElement)
  const text = byId('notify-text', HTMLTextAreaElement)
  const alsoByMail = byId('notify-mail', HTMLInputElement)
  const trouble = byId('notify-trouble', HTMLElement)
  const reports = byId('reports', HTMLElement)
  const listening = new AbortController()
  const doubtful = new DoubtfulNotifications(session)

  /** @param {SubmitEvent} event */
  async function notify(event) {
    event.preventDefault()
    const submit = byId('notify-submit', HTMLButtonElement)
    submit.disabled = true
    /** @type {HTMLElement} */
    let nextFocus = submit
    const body = { title: title.value, body: text.value, sendEmail: alsoByMail.checked }
    const content = JSON.stringify(body)
    const doubtfulId = doubtful.find(content)
    const notificationId = doubtfulId ?? createId()
    // Before the server is asked, since the page may be loaded again before the answer comes.
    doubtful.add(content, notificationId)
    try {
      await call('POST', '/notifications', { body: { ...body, notificationId } })
      doubtful.delete(content)
      showText(trouble, '')
      form.reset()
      nextFocus = title
      onNotified(notificationId)
      const item = element('li', { class: 'report' }, ...renderReport(body.title, { push: ['accepted'], email: [] }))
      reports.prepend(item)
      while (reports.children.length > mostReports) reports.lastElementChild?.remove()
      void follow(notificationId, item, listening.signal)
    } catch (error) {
      const { message, accepted, isFinal } = /** @type {ApiError} */ (error)
      const mayBeAccepted = !isFinal && (doubtfulId !== undefined || accepted === 'unknown')
      if (!mayBeAccepted) doubtful.delete(content)
      showText(trouble, describeRefusal(message, mayBeAccepted))
    } finally {
      submit.disabled = false
      moveLostFocus(submit, nextFocus)
    }
  }

  form.addEventListener('submit', notify, { signal: listening.signal })
  return () => {
    listening.abort()
    form.reset()
    showText(trouble, '')
    reports.replaceChildren()
  }
}

/**
 * A button that is disabled loses the focus, and whoever uses a keyboard the place on the page.
 *
 * @param {HTMLElement} loser
 * @param {HTMLElement} target
 */
function moveLostFocus(loser, target) {
  const { activeElement, body } = document
  if (activeElement === loser || activeElement === body) target.focus()
}

/** @param {string} message @param {boolean} mayBeAccepted */
function describeRefusal(message, mayBeAccepted) {
  if (mayBeAccepted)
    return `No answer: ${message}. It may have been accepted. Notify again with the same words: nobody is notified twice.`
  return `Not accepted: ${message}.`
}

/**
 * Asks again and again what each channel did, until that is settled or newer notifications have taken its place.
 *
 * @param {string} notificationId
 * @param {HTMLElement} item
 * @param {AbortSignal} signal
 */
async function follow(notificationId, item, signal) {
  let told = ''
  for (let attempt = 0; !signal.aborted && item.isConnected; attempt += 1) {
    const report = await readReport(notificationId, signal)
    if (report) {
      const lines = { push: describePush(report.push), email: describeEmail(report.email) }
      // A screen reader tells what changes, so nothing is written that says the same again.
      if (JSON.stringify(lines) !== told) item.replaceChildren(...renderReport(report.title, lines))
      told = JSON.stringify(lines)
      if (isSettled(report)) return
    }
    await wait(delayAfter(attempt, pollMs))
  }
}

/**
 * @param {string} notificationId
 * @param {AbortSignal} signal
 * @returns {Promise<Report | undefined>} undefined: not to be had now; the page says in one place what is away
 */
async function readReport(notificationId, signal) {
  try {
    return await call('GET', `/notifications/${notificationId}`, { signal })
  } catch {
    return undefined
  }
}

/**
 * @param {string} title
 * @param {{ push: string[], email: string[] }} lines
 */
function renderReport(title, { push, email }) {
  const channels = element('dl', {}, ...renderChannel('Push', push), ...renderChannel('Mail', email))
  return [element('p', { class: 'title', dir: 'auto' }, title), channels]
}

/**
 * @param {string} name
 * @param {string[]} lines
 */
function renderChannel(name, lines) {
  if (lines.length === 0) return []
  return [element('dt', {}, name), ...lines.map((line) => element('dd', {}, line))]
}
