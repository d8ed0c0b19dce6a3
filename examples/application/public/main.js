// @ts-check
import { ApiError, apiEvents, call, useCsrfToken } from './api.js'
import { byId, element, showText } from './dom.js'
import { watchHealth } from './health.js'
import { showLogin } from './login.js'
import { openWorkspace } from './workspace.js'

/** @import { Session, Site } from './types.js' */
/** @import { Workspace } from './workspace.js' */

const login = byId('login', HTMLElement)
const workspaceView = byId('workspace', HTMLElement)
const account = byId('account', HTMLElement)

const tryAgainMs = 2_000

/** @type {Workspace | undefined} */
let workspace
let isStarting = false

/** Shows what the browser's session allows: the login, or the workspace of its user. */
async function start() {
  if (isStarting) return
  isStarting = true
  workspace?.close()
  workspace = undefined
  workspaceView.hidden = true
  account.hidden = true
  useCsrfToken('')
  try {
    const [site, users, session] = await Promise.all([call('GET', '/site'), call('GET', '/demo-users'), findSession()])
    showLinks(site)
    byId('loading', HTMLElement).hidden = true
    login.hidden = session !== undefined
    workspaceView.hidden = session === undefined
    if (session) {
      useCsrfToken(session.csrfToken)
      byId('who', HTMLElement).textContent = `${session.name} · tenant ${session.tenantId}`
      workspace = await openWorkspace({ site, session, users })
      // Only now, since logging out also takes this device away, which the workspace knows.
      account.hidden = false
    } else {
      showLogin(users, { onLoggedIn: startAnew })
    }
    showText(byId('start-trouble', HTMLElement), '')
  } catch (error) {
    showText(
      byId('start-trouble', HTMLElement),
      `The page cannot be shown yet: ${/** @type {Error} */ (error).message}.`,
    )
    setTimeout(start, tryAgainMs)
  } finally {
    isStarting = false
  }
}

/** Starts, and lets a keyboard go on from where the content begins, since what had the focus is gone. */
async function startAnew() {
  await start()
  byId('main', HTMLElement).focus()
}

/** @returns {Promise<Session | undefined>} undefined: nobody has logged in */
async function findSession() {
  try {
    return await call('GET', '/session')
  } catch (error) {
    if (error instanceof ApiError && error.status === 401) return undefined
    throw error
  }
}

/** @param {Site} site */
function showLinks({ links }) {
  const anchors = links.map(({ name, url }) => element('a', { href: url, target: '_blank', rel: 'noopener' }, name))
  byId('links', HTMLElement).replaceChildren(...anchors)
}

byId('log-out', HTMLButtonElement).addEventListener('click', async () => {
  try {
    await workspace?.forgetDevice()
    await call('DELETE', '/session')
    await startAnew()
  } catch (error) {
    const { status } = /** @type {ApiError} */ (error)
    if (status === 401 || status === 403) return startAnew()
    showText(byId('start-trouble', HTMLElement), `You cannot log out: ${/** @type {Error} */ (error).message}.`)
  }
})

apiEvents.addEventListener('session-ended', async () => {
  if (!workspace) return
  await startAnew()
  if (!workspace) showText(byId('login-trouble', HTMLElement), 'Your session has ended: choose again.')
  else
    showText(
      byId('start-trouble', HTMLElement),
      `Another window of this browser has logged in, so this one is ${byId('who', HTMLElement).textContent} now.`,
    )
})
watchHealth()
void start()
