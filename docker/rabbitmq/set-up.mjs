// @ts-check
import { readFile } from 'node:fs/promises'
import process from 'node:process'

// Imports the topology, makes the users with the passwords of the environment, and gives them their permissions. May run
// again, and sets all of it anew then; what is no longer in the files stays.

/** Of docker-compose.yml. */
const developmentPasswords = ['admin123', 'development']

const { env } = process
const { MANAGEMENT_URL, RABBITMQ_USER, RABBITMQ_PASSWORD, NODE_ENV, BROKER_NODES = '1' } = env
const authorization = `Basic ${Buffer.from(`${RABBITMQ_USER}:${RABBITMQ_PASSWORD}`).toString('base64')}`

/**
 * @param {string} method
 * @param {string} path
 * @param {unknown} body
 */
async function call(method, path, body = undefined) {
  const response = await fetch(new URL(`/api/${path}`, MANAGEMENT_URL), {
    method,
    headers: { authorization, 'content-type': 'application/json' },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  })
  if (response.ok) return response
  throw new Error(`${method} ${path}: expected success, found ${response.status} ${await response.text()}`)
}

/** Queues get their members from the nodes that have joined. */
async function checkNodes() {
  const nodes = /** @type {{ running: boolean }[]} */ (await (await call('GET', 'nodes')).json())
  const running = nodes.filter((node) => node.running).length
  if (running < Number(BROKER_NODES)) throw new Error(`expected ${BROKER_NODES} nodes of the cluster, found ${running}`)
}

/** @param {string} file */
const readJson = async (file) => JSON.parse(await readFile(new URL(file, import.meta.url), 'utf8'))

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
  const definitions = await readJson('definitions.json')
  const { users, ...permissions } = await readJson('permissions.json')
  readPassword('rabbitmq')
  const passwords = new Map(users.map((/** @type {{ name: string }} */ { name }) => [name, readPassword(name)]))
  await checkNodes()
  await call('POST', 'definitions', definitions)
  for (const { name, tags } of users) await call('PUT', `users/${name}`, { password: passwords.get(name), tags })
  await call('POST', 'definitions', permissions)
  process.stdout.write(`topology, and users ${[...passwords.keys()].join(', ')}\n`)
} catch (error) {
  const { message, cause } = error instanceof Error ? error : new Error(String(error))
  // Of a connection that fails, `fetch` tells the reason there only.
  process.stderr.write(`${cause instanceof Error ? `${message}: ${cause.message}` : message}\n`)
  process.exitCode = 1
}
