// @ts-check
import { startOthers } from './compose-others.mjs'
import { readNativePort, readPorts } from './native.mjs'
import { describeRabbitmqctl } from './native-rabbitmq.mjs'
import { explainPorts } from './port-variables.mjs'
import { say, step } from './progress.mjs'
import { startServices } from './services.mjs'
import { withLock } from './state.mjs'
import { importTopology, readDefinitions } from './topology.mjs'

/** @typedef {import('./services.mjs').Services} Services */
/** @typedef {import('./compose-others.mjs').Others} Others */

const sources = { given: 'given by its variable', compose: 'with Docker Compose', native: "from Debian's package" }

/**
 * Starts everything for development but the workers.
 * @returns {Promise<string>} where it is, for people
 */
export async function setUpEverything() {
  // Before anything is started: a file that does not parse would be found out too late.
  const definitions = readDefinitions()
  const services = await startServices({ endWithParent: false })
  const composed = /** @type {const} */ (['rabbitmq', 'postgres']).filter(
    (name) => services.sources[name] === 'compose',
  )
  /** @type {Others} */
  let others = { running: [], missing: [], environments: {}, portOf: () => undefined }
  /** @type {string[]} */
  const notes = []
  try {
    if (services.sources.rabbitmq !== 'given') {
      notes.push(...(await step('importing the topology', () => importTopology(services, definitions))))
    }
    // Last: it leaves nothing behind if it fails.
    if (composed.length > 0) others = await withLock(() => startOthers(composed))
  } catch (error) {
    // What this run has started; what ran before goes on.
    await services.stop()
    throw error
  }
  const portOf = (/** @type {string} */ variable) => others.portOf(variable) ?? readNativePort(variable)
  const own = /** @type {const} */ (['rabbitmq', 'postgres']).filter((name) => services.sources[name] !== 'given')
  const ports = explainPorts([...own, ...others.running], portOf)
  if (ports) notes.push(ports)
  if (composed.length === 0) notes.push('Mail catcher, Prometheus and Grafana come with Docker only.')
  for (const { service, reason } of others.missing) notes.push(`${service} is missing: ${reason}.`)
  for (const note of notes) say(note)
  return render({ services, others, definitions, portOf })
}

/**
 * @param {object} parts
 * @param {Services} parts.services
 * @param {Others} parts.others
 * @param {import('./topology.mjs').Definitions} parts.definitions
 * @param {(variable: string) => number | undefined} parts.portOf
 */
function render({ services, others, definitions, portOf }) {
  const { rabbitmqUrl, managementUrl, databaseUrl, realtime, sources: from } = services
  const { running, environments } = others
  const page = (/** @type {string} */ variable) => `http://localhost:${portOf(variable)}`
  /** @type {[string, string][]} */
  const rows = [
    ['RabbitMQ', `${rabbitmqUrl}  (${sources[from.rabbitmq]})`],
    ['  page', `${managementUrl.replace('127.0.0.1', 'localhost')}  ${describeLogin(rabbitmqUrl)}`],
  ]
  if (from.rabbitmq !== 'given') {
    const { exchanges, queues, bindings } = definitions
    rows.push(
      ['  metrics', `${page('RABBITMQ_METRICS_PORT')}/metrics`],
      ['  topology', `imported: ${exchanges.length} exchanges, ${queues.length} queues, ${bindings.length} bindings`],
    )
  }
  if (realtime) rows.push(['  browsers', `${realtime.url}  tokens by the key ${realtime.keyFile}`])
  const ports = readPorts()
  if (from.rabbitmq === 'native' && ports) rows.push(['  rabbitmqctl', describeRabbitmqctl(ports)])
  rows.push(...describeUsers(environments['rabbitmq-setup'], { suffix: '_PASSWORD', separator: '-' }))
  rows.push(['PostgreSQL', `${databaseUrl}  (${sources[from.postgres]})`])
  rows.push(...describeUsers(environments['postgres-setup'], { suffix: '_DATABASE_PASSWORD', separator: '_' }))
  if (running.includes('mail-catcher')) {
    rows.push(['Mails', `${page('MAIL_PAGE_PORT')}  takes what is sent to smtp://localhost:${portOf('SMTP_PORT')}`])
  }
  if (running.includes('prometheus')) rows.push(['Prometheus', page('PROMETHEUS_PORT')])
  if (running.includes('grafana')) {
    const password = describePassword('GRAFANA_PASSWORD', environments.grafana?.GF_SECURITY_ADMIN_PASSWORD)
    rows.push(['Grafana', `${page('GRAFANA_PORT')}  user admin, ${password}`])
  }
  return `${rows.map(([what, where]) => `${what.padEnd(15)}${where}`).join('\n')}

in your shell:  eval "$(./scripts/setup-services.sh --env)"
stop them:      ./scripts/setup-services.sh --stop
`
}

/** @param {string} url the first of several is enough */
function describeLogin(url) {
  const { username, password } = new URL(url.split(',')[0] ?? '')
  return `user ${decodeURIComponent(username)}, password ${decodeURIComponent(password)}`
}

/** Those that docker-compose.yml has for development. */
const developmentPasswords = ['development', 'admin123']

/**
 * @param {string} variable
 * @param {string | undefined} password one of the caller's own is not shown
 */
function describePassword(variable, password = '') {
  return developmentPasswords.includes(password) ? `password ${password}` : `password of ${variable}`
}

/**
 * The users that a set-up made.
 * @param {Record<string, string> | undefined} environment of the set-up; undefined: it has not run
 * @param {{ suffix: string, separator: string }} names of the variables, and in the users' names
 * @returns {[string, string][]}
 */
function describeUsers(environment, { suffix, separator }) {
  /** @type {Map<string, string[]>} */
  const users = new Map()
  for (const [variable, value] of Object.entries(environment ?? {})) {
    const user = variable.slice(0, -suffix.length)
    if (!variable.endsWith(suffix) || user === 'RABBITMQ') continue
    const password = describePassword(variable, value)
    users.set(password, [...(users.get(password) ?? []), user.toLowerCase().replaceAll('_', separator)])
  }
  return [...users].map(([password, names]) => ['  users', `${names.join(', ')}: ${password}`])
}
