// @ts-check
import { parseArgs } from 'node:util'
import { describeFailure } from '../describe-failure.mjs'
import { say } from './progress.mjs'
import { startServices, stopServices, toVariables } from './services.mjs'
import { setUpEverything } from './set-up-everything.mjs'

const usage = `usage: scripts/setup-services.sh [--env | --stop]

Starts what this clone needs for development and leaves it running. With Docker: every service of docker-compose.yml but
the workers; otherwise broker and database from the Debian packages rabbitmq-server and postgresql, with their data in
.local/. The exchanges and queues of docker/rabbitmq/definitions.json are imported.
  --env    start broker and database only, without topology, and print export lines only:
           eval "$(./scripts/setup-services.sh --env)"
  --stop   stop all of it again; the data stays

RABBITMQ_URL and DATABASE_URL, if set, are used as they are, and nothing is imported there. AMQP_PORT, MANAGEMENT_PORT,
RABBITMQ_METRICS_PORT, REALTIME_PORT and POSTGRES_PORT ask for ports; with Docker also MAIL_PAGE_PORT, SMTP_PORT,
PROMETHEUS_PORT and GRAFANA_PORT.`

/** @param {string} value */
const quote = (value) => `'${value.replaceAll("'", "'\\''")}'`

async function printEnvironment() {
  const variables = toVariables(await startServices({ endWithParent: false }))
  for (const [name, value] of Object.entries(variables)) process.stdout.write(`export ${name}=${quote(value)}\n`)
}

try {
  const { values } = parseArgs({
    options: { env: { type: 'boolean' }, stop: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } },
  })
  if (values.help) process.stdout.write(`${usage}\n`)
  else if (values.stop) {
    await stopServices()
    say('stopped')
  } else if (values.env) await printEnvironment()
  else process.stdout.write(await setUpEverything())
} catch (error) {
  say(describeFailure(error))
  process.exitCode = 1
}
