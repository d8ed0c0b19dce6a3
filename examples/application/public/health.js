// @ts-check
import { apiEvents } from './api.js'
import { byId, showText } from './dom.js'

/** @typedef {'server' | 'database' | 'broker' | 'nothing'} Away */

/** @type {Record<Away, string>} */
const words = {
  server: 'The server cannot be reached. Nothing is accepted until it is back.',
  database: 'The database is away. Nothing is accepted until it is back.',
  broker: 'The broker is away. What you send is accepted now, and arrives when the broker is back.',
  nothing: '',
}

const calmMs = 10_000
const troubledMs = 2_000

/** `back`: server and database answer again. */
export const healthEvents = new EventTarget()

/** Says on the page what is away, and notices when it is back. */
export function watchHealth() {
  const outage = byId('outage', HTMLElement)
  /** @type {Away} */
  let away = 'nothing'
  let timer = 0

  async function look() {
    clearTimeout(timer)
    const before = away
    away = await findAway()
    outage.dataset.away = away
    showText(outage, words[away])
    const isUsable = away === 'nothing' || away === 'broker'
    if (isUsable && (before === 'server' || before === 'database')) healthEvents.dispatchEvent(new Event('back'))
    clearTimeout(timer)
    timer = setTimeout(look, away === 'nothing' ? calmMs : troubledMs)
  }

  apiEvents.addEventListener('unavailable', look)
  for (const name of ['online', 'offline', 'focus']) window.addEventListener(name, look)
  void look()
}

/** @returns {Promise<Away>} */
async function findAway() {
  try {
    const response = await fetch('/readyz', { signal: AbortSignal.timeout(5_000) })
    const { database, broker } = await response.json()
    if (database !== 'connected') return 'database'
    return broker === 'connected' ? 'nothing' : 'broker'
  } catch {
    return 'server'
  }
}
