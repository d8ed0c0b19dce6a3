// @ts-check
import { call } from './api.js'
import { byId, element, showText } from './dom.js'

/** @import { User } from './types.js' */

/**
 * Lets a demo user be chosen, in place of a password.
 *
 * @param {User[]} users
 * @param {{ onLoggedIn: () => void }} options
 */
export function showLogin(users, { onLoggedIn }) {
  const trouble = byId('login-trouble', HTMLElement)

  /** @param {User} user */
  async function choose({ tenantId, userId }) {
    try {
      await call('POST', '/session', { body: { tenantId, userId } })
      showText(trouble, '')
      onLoggedIn()
    } catch (error) {
      showText(trouble, `You cannot log in: ${/** @type {Error} */ (error).message}.`)
    }
  }

  const tenants = Map.groupBy(users, ({ tenantId }) => tenantId)
  const groups = [...tenants].map(([tenantId, members]) => {
    const title = element('h2', { id: `tenant-${tenantId}` }, `Tenant ${tenantId}`)
    const cards = members.map((user) => renderUser(user, () => choose(user)))
    return element('div', { role: 'group', 'aria-labelledby': title.id }, title, element('ul', {}, ...cards))
  })
  byId('users', HTMLElement).replaceChildren(...groups)
}

/**
 * @param {User} user
 * @param {() => void} onChoose
 */
function renderUser({ tenantId, userId, name, email }, onChoose) {
  const id = `email-${tenantId}-${userId}`
  const card = element('button', { type: 'button', 'aria-describedby': id, dir: 'auto' }, name)
  card.addEventListener('click', onChoose)
  return element('li', {}, card, element('span', { id, class: 'email' }, email))
}
