// @ts-check
import { instanceName } from '../services/paths.mjs'
import { choosePorts } from '../services/ports.mjs'
import { say } from '../services/progress.mjs'
import { workers } from '../workers.mjs'
import { applicationPort, startApplication } from './application.mjs'
import { startProcess } from './start-process.mjs'

/** @typedef {ReturnType<typeof startProcess>} StartedProcess */

/**
 * Starts all workers, and the example application if the broker has something for browsers.
 * @param {import('../services/services.mjs').Services} services
 * @param {import('./far-ends.mjs').FarEnds} farEnds
 * @returns {Promise<{ processes: StartedProcess[], application: StartedProcess | undefined }>} `processes` has all of them
 */
export async function startProcesses(services, farEnds) {
  const { rabbitmqUrl, databaseUrl, realtime } = services
  /** @type {Record<string, number>} */
  const usual = {
    ...Object.fromEntries(workers.map(({ name, httpPort }) => [name, httpPort])),
    application: applicationPort,
  }
  const ports = await choosePorts(usual, instanceName)
  const processes = workers.map(({ name, createEnvironment }) =>
    startProcess(name, `apps/${name}/dist/main.js`, {
      ...createEnvironment?.(farEnds.addresses),
      RABBITMQ_URL: rabbitmqUrl,
      DATABASE_URL: databaseUrl,
      HTTP_PORT: String(ports[name]),
    }),
  )
  if (!realtime) {
    say('The example application is not started: beside RABBITMQ_URL it needs REALTIME_URL and REALTIME_KEY_FILE.')
    return { processes, application: undefined }
  }
  const application = startApplication({ services, realtime, farEnds, port: ports.application ?? applicationPort })
  return { processes: [...processes, application], application }
}
