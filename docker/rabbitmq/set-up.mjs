// @ts-check
import { readFile } from 'node:fs/promises'
import process from 'node:process'

// Makes the users with the passwords of the environment, and gives them their permissions. May run again, and sets all of
// it anew then; a user that is no longer in the file is not
// removed.

/** Of docker-compose.yml. */
const developmentPasswords = ['admin123', 'development']

const { env } = process
const { MANAGEMENT_URL, RABBITMQ_USER, RABBITMQ_PASSWORD, NODE_ENV } = env
const authorization = `Basic ${Buffer.from(`${RABBITMQ_USER}:${RABBITMQ_PASSWORD}`).toString('base64')}`

/**
 * @param {string} method
 * @param {string} path
 * @param {unknown} body
 */
async function call(method, path, body) {
  const response = await fetch(new URL(`/api/${path}`, MANAGEMENT_URL), {
    method,
    headers: { authorization, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  if (response.ok) return
  throw new Error(`${method} ${path}: expected success, found ${response.status} ${await response.text()}`)
}

/** @param {string} user `email-worker` has its password in EMAIL_WORKER_PASSWORD */
function readPassword(user) {
  const variable = `${user.toUpperCase().replaceAll('-', '_')}_PASSWORD`
  const password = env[variable]
  if (!password) throw new Error(`${variable}: expected the password of the broker's user ${user}, found none`)
  if (NODE_ENV === 'production' && developmentPasswords.includes(password)) {
    throw new Error(`${variable}: expected a password of your own in production, found the one of development`)
  }
  return password
}

try {
  const file = new URL('permissions.json', import.meta.url)
  const { users, ...permissions } = JSON.parse(await readFile(file, 'utf8'))
  readPassword('rabbitmq')
  const passwords = new Map(users.map((/** @type {{ name: string }} */ { name }) => [name, readPassword(name)]))
  for (const { name, tags } of users) await call('PUT', `users/${name}`, { password: passwords.get(name), tags })
  await call('POST', 'definitions', permissions)
  process.stdout.write(`users ${[...passwords.keys()].join(', ')}\n`)
} catch (error) {
  const { message, cause } = error instanceof Error ? error : new Error(String(error))
  // Of a connection that fails, `fetch` tells the reason there only.
  process.stderr.write(`${cause instanceof Error ? `${message}: ${cause.message}` : message}\n`)
  process.exitCode = 1
}
