// @ts-check
import { findInstallObstacle, installPackages } from './install-packages.mjs'
import { findPostgresBinaries } from './native-postgres.mjs'
import { isRabbitmqInstalled } from './native-rabbitmq.mjs'

/**
 * Sees to it that the Debian packages of these services are there.
 * @param {import('./services.mjs').ServiceName[]} services
 */
export async function ensureInstalled(services) {
  const missing = services.flatMap((service) => {
    if (service === 'rabbitmq') return isRabbitmqInstalled() ? [] : ['rabbitmq-server']
    return findPostgresBinaries() ? [] : ['postgresql']
  })
  if (missing.length === 0) return
  const obstacle = findInstallObstacle()
  if (obstacle === undefined) return installPackages(missing)
  const names = missing.map((name) => (name === 'postgresql' ? 'PostgreSQL' : 'RabbitMQ')).join(' and no ')
  throw new Error(
    `There is no ${names} to use: no Docker engine with the images answers, the packages are not installed, and ${obstacle}.
One of these helps:
  - start Docker, with the compose plugin
  - on Debian or Ubuntu, as root: apt-get install ${missing.join(' ')}
    (the system's own services need not run: private instances are started)
  - set RABBITMQ_URL and DATABASE_URL to servers you have`,
  )
}
