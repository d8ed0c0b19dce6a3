// @ts-check
import { parseArgs } from 'node:util'
import { say } from './progress.mjs'
import { startServices, stopServices } from './services.mjs'

const usage = `usage: scripts/setup-services.sh [--env | --stop]

Starts RabbitMQ and PostgreSQL for this clone and leaves them running.
  --env    print export lines only:  eval "$(./scripts/setup-services.sh --env)"
  --stop   stop them again; the data stays

RABBITMQ_URL and DATABASE_URL, if set, are used as they are. Otherwise Docker Compose is used if an engine answers
and has the images, else private instances from the Debian packages rabbitmq-server and postgresql, data in .local/.`

/** @param {string} value */
const quote = (value) => `'${value.replaceAll("'", "'\\''")}'`

const { values } = parseArgs({
  options: { env: { type: 'boolean' }, stop: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } },
})
try {
  if (values.help) process.stdout.write(`${usage}\n`)
  else if (values.stop) {
    await stopServices()
    say('stopped')
  } else {
    const { rabbitmqUrl, managementUrl, databaseUrl, sources } = await startServices({ endWithParent: false })
    const variables = { RABBITMQ_URL: rabbitmqUrl, RABBITMQ_MANAGEMENT_URL: managementUrl, DATABASE_URL: databaseUrl }
    if (values.env) {
      for (const [name, value] of Object.entries(variables)) process.stdout.write(`export ${name}=${quote(value)}\n`)
    } else {
      process.stdout.write(`RabbitMQ (${sources.rabbitmq})    ${rabbitmqUrl}
  management          ${managementUrl}
PostgreSQL (${sources.postgres})  ${databaseUrl}

in your shell:  eval "$(./scripts/setup-services.sh --env)"
stop them:      ./scripts/setup-services.sh --stop
`)
    }
  }
} catch (error) {
  say(error instanceof Error ? error.message : String(error))
  process.exitCode = 1
}
