// @ts-check
import { composeEnvironment } from './compose-environment.mjs'
import { isPortFree } from './ports.mjs'

/**
 * A port that a service publishes: the variable that sets it, here and in docker-compose.yml, the usual one, the one
 * within the container, and what it is for.
 * @typedef {{ variable: string, usual: number, inner: number, what: string }} PortVariable
 */

/** @type {Record<string, PortVariable[]>} */
const portVariables = {
  rabbitmq: [
    { variable: 'AMQP_PORT', usual: 5672, inner: 5672, what: 'RabbitMQ' },
    { variable: 'MANAGEMENT_PORT', usual: 15672, inner: 15672, what: 'its page' },
    { variable: 'RABBITMQ_METRICS_PORT', usual: 15692, inner: 15692, what: 'its metrics' },
    { variable: 'REALTIME_PORT', usual: 15675, inner: 15675, what: 'MQTT for browsers' },
  ],
  postgres: [{ variable: 'POSTGRES_PORT', usual: 5432, inner: 5432, what: 'PostgreSQL' }],
  'mail-catcher': [
    { variable: 'MAIL_PAGE_PORT', usual: 1080, inner: 1080, what: 'the page of the mails' },
    { variable: 'SMTP_PORT', usual: 1025, inner: 1025, what: 'SMTP' },
  ],
  prometheus: [{ variable: 'PROMETHEUS_PORT', usual: 9090, inner: 9090, what: 'Prometheus' }],
  grafana: [{ variable: 'GRAFANA_PORT', usual: 5005, inner: 3000, what: 'Grafana' }],
}

/** @param {string} service */
export const portVariablesOf = (service) => portVariables[service] ?? []

/**
 * A port that the caller demands. Others are chosen anew when they are taken, this one is not.
 * @param {string} variable
 * @returns {Promise<number | undefined>} undefined: none is demanded
 * @throws Error if it is no port, or taken
 */
export async function readDemandedPort(variable) {
  const text = composeEnvironment[variable]
  if (!text) return undefined
  const port = Number(text)
  if (!/^\d+$/.test(text) || port < 1 || port > 65535) {
    throw new Error(`${variable} is "${text}", which is no port: set it to a number from 1 to 65535, or unset it.`)
  }
  if (!(await isPortFree(port))) {
    throw new Error(
      `${variable} is ${port}, which another process listens on: end that one, or set ${variable} to a free port, or unset it to have one chosen.`,
    )
  }
  return port
}

/**
 * A sentence about the ports that are not the usual ones, and that nobody has asked for.
 * @param {string[]} services
 * @param {(variable: string) => number | undefined} portOf
 * @returns {string | undefined} undefined: there are none
 */
export function explainPorts(services, portOf) {
  const others = services.flatMap(portVariablesOf).flatMap(({ variable, usual, what }) => {
    const port = portOf(variable)
    if (port === undefined || port === usual || composeEnvironment[variable]) return []
    return [{ variable, text: `${what} ${port} instead of ${usual}` }]
  })
  if (others.length === 0) return undefined
  const texts = others.map(({ text }) => text).join(', ')
  const variables = others.map(({ variable }) => variable).join(', ')
  return `Not the usual ports, which were taken when those of this clone were chosen: ${texts}. To have others, stop the services and set ${variables}.`
}
