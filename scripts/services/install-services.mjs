// @ts-check
import { findInstallObstacle, installPackages } from './install-packages.mjs'
import { findPostgresBinaries } from './native-postgres.mjs'
import { isRabbitmqInstalled } from './native-rabbitmq.mjs'
import { say } from './progress.mjs'

/** @type {Record<string, string>} */
const products = { 'rabbitmq-server': 'RabbitMQ', postgresql: 'PostgreSQL' }

/**
 * Sees to it that the Debian packages of these services are there.
 * @param {import('./services.mjs').ServiceName[]} services
 * @param {string | undefined} dockerFault why Docker, which is installed, does not serve; undefined: it is not installed
 */
export async function ensureInstalled(services, dockerFault) {
  /** @type {string[]} */
  const missing = []
  if (services.includes('rabbitmq') && !isRabbitmqInstalled()) missing.push('rabbitmq-server')
  if (services.includes('postgres') && !findPostgresBinaries()) missing.push('postgresql')
  const fallback = missing.length > 0 ? "installing Debian's packages instead" : "using Debian's packages instead"
  const obstacle = missing.length > 0 ? findInstallObstacle() : undefined
  if (obstacle === undefined) {
    if (dockerFault) say(`${dockerFault}: ${fallback}`)
    if (missing.length > 0) await installPackages(missing)
    return
  }
  const names = missing.map((name) => products[name]).join(' and ')
  throw new Error(
    `${names} cannot be started: ${dockerFault?.replace(/^T/, 't') ?? 'Docker is not installed'}, and the Debian packages ${missing.join(' and ')} are not installed and cannot be, since ${obstacle}. Start Docker, or run "apt-get install ${missing.join(' ')}" as root, or set RABBITMQ_URL and DATABASE_URL to servers of your own.`,
  )
}
