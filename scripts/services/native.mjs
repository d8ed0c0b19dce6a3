// @ts-check
import { assertRoom } from './disk-space.mjs'
import { ensureInstalled } from './install-services.mjs'
import { databaseUrl, findRunningPostgres, startPostgres, stopPostgres } from './native-postgres.mjs'
import { brokerUrl, findRunningRabbitmq, startRabbitmq, stopRabbitmq } from './native-rabbitmq.mjs'
import { instanceName, localDirectory } from './paths.mjs'
import { readDemandedPort } from './port-variables.mjs'
import { choosePorts, isPortFree } from './ports.mjs'
import { probeAmqp } from './probe-amqp.mjs'
import { probePostgres } from './probe-postgres.mjs'
import { isAlive, toProcessId, waitForExit } from './processes.mjs'
import { say, step } from './progress.mjs'
import { noteStop, readState, setOwner, updateState } from './state.mjs'
import { waitUntilReady } from './wait-until-ready.mjs'

/** @typedef {import('./services.mjs').ServiceName} ServiceName */
/** @typedef {import('./native-rabbitmq.mjs').BrokerPorts & { postgres: number }} Ports */

/** With less than 200 MB (docker/rabbitmq/rabbitmq.conf) the broker starts, and takes no message. */
const neededMb = 300

/** How long an instance that somebody else is starting may take. */
const adoptionLimitMs = 30_000

/** @type {{ [name in keyof Ports]: number | undefined }} */
const defaultPorts = {
  amqp: 5672,
  management: 15672,
  metrics: 15692,
  realtime: 15675,
  distribution: 25672,
  epmd: undefined,
  postgres: 5432,
}

/** The variables that docker-compose.yml has for the same. @type {{ [name in keyof Ports]?: string }} */
const portVariables = {
  amqp: 'AMQP_PORT',
  management: 'MANAGEMENT_PORT',
  metrics: 'RABBITMQ_METRICS_PORT',
  realtime: 'REALTIME_PORT',
  postgres: 'POSTGRES_PORT',
}

/** @param {string} variable */
export function readNativePort(variable) {
  const name = /** @type {(keyof Ports)[]} */ (Object.keys(portVariables)).find(
    (each) => portVariables[each] === variable,
  )
  return name && readPorts()?.[name]
}

/** @param {(keyof Ports)[]} names */
async function readDemandedPorts(names) {
  /** @type {Partial<Ports>} */
  const demanded = {}
  for (const name of names) {
    const variable = portVariables[name]
    const port = variable && (await readDemandedPort(variable))
    if (port) demanded[name] = port
  }
  return demanded
}

/** @type {{ [name in ServiceName]: { ports: (keyof Ports)[], find: () => import('./processes.mjs').ProcessId | undefined, probe: (ports: Ports) => Promise<string | undefined>, stop: (ports: Ports | undefined) => Promise<void> } }} */
const instances = {
  rabbitmq: {
    ports: ['amqp', 'management', 'metrics', 'realtime', 'distribution', 'epmd'],
    find: findRunningRabbitmq,
    probe: (ports) => probeAmqp(brokerUrl(ports)),
    stop: stopRabbitmq,
  },
  postgres: {
    ports: ['postgres'],
    find: findRunningPostgres,
    probe: (ports) => probePostgres(databaseUrl(ports.postgres)),
    stop: () => stopPostgres(),
  },
}

/** @returns {Ports | undefined} the ports of this clone's private instances, running or not */
export const readPorts = () => /** @type {Ports | undefined} */ (readState().nativePorts)

/**
 * Looks which private instances of this clone run and can be used. One whose owner has died is on its way down (the
 * kernel told it to stop), one that does not answer is broken: both are ended here.
 * @param {ServiceName[]} services
 * @returns {Promise<ServiceName[]>}
 */
export async function adoptNative(services) {
  const ports = readPorts()
  /** @type {ServiceName[]} */
  const adopted = []
  for (const service of services) {
    const { find, probe, stop } = instances[service]
    const owner = readState().owners?.[service]
    if (owner && !isAlive(owner)) {
      if (find()) await step(`stopping the ${service} that a killed run left`, () => stop(ports))
      setOwner([service], undefined)
    }
    const server = find()
    // Without its node there may still be an epmd.
    if (!server) await stop(undefined)
    else {
      const ready = (/** @type {Ports} */ known) =>
        waitUntilReady(() => probe(known), {
          timeoutMs: adoptionLimitMs,
          ended: () => (isAlive(server) ? undefined : 'it has ended'),
        })
      const fault = ports
        ? await step(`waiting for ${service}, which runs already`, () => ready(ports))
        : 'its ports are not known'
      if (fault === undefined) adopted.push(service)
      else {
        say(`this clone's running ${service} cannot be used (${fault}): starting it anew`)
        await stop(ports)
      }
    }
  }
  return adopted
}

/**
 * Starts private instances from the Debian packages, which are installed first if need be and if that is allowed.
 * @param {ServiceName[]} services none of them running
 * @param {{ endWithParent: boolean, dockerFault?: string | undefined }} options
 */
export async function startNative(services, { endWithParent, dockerFault }) {
  assertRoom(localDirectory, {
    neededMb,
    what: 'broker and database',
    instead: ', or set MONO_LOCAL_DIRECTORY to a directory on another disk',
  })
  await ensureInstalled(services, dockerFault)
  setOwner(services, endWithParent ? toProcessId(process.pid) : undefined)
  try {
    await startOnFreePorts(services, endWithParent)
  } catch (error) {
    await stopNative(services)
    throw error
  }
}

/**
 * @param {ServiceName[]} services
 * @param {boolean} endWithParent
 */
async function startOnFreePorts(services, endWithParent) {
  for (let attempt = 1; ; attempt++) {
    const kept = readPorts()
    const missing = services.filter((service) => !instances[service].find())
    const names = missing.flatMap((service) => instances[service].ports)
    const demanded = await readDemandedPorts(names)
    const wanted = names.filter((name) => demanded[name] === undefined)
    const chosen = await choosePorts(
      Object.fromEntries(
        wanted.map((name) => [name, attempt === 1 ? (kept?.[name] ?? defaultPorts[name]) : undefined]),
      ),
      instanceName,
    )
    const ports = /** @type {Ports} */ ({ ...kept, ...chosen, ...demanded })
    updateState({ nativePorts: { ...ports } })
    const results = await Promise.allSettled([
      missing.includes('postgres') &&
        step('starting PostgreSQL', () => startPostgres(ports.postgres, { endWithParent })),
      missing.includes('rabbitmq') && step('starting RabbitMQ', () => startRabbitmq(ports, { endWithParent })),
    ])
    const failure = results.find((result) => result.status === 'rejected')
    if (!failure) return
    // Between our look at a port and the server's start somebody else may have taken it.
    const taken = []
    for (const service of missing.filter((name) => !instances[name].find())) {
      for (const name of instances[service].ports) if (!(await isPortFree(ports[name]))) taken.push(ports[name])
    }
    if (attempt === 3 || taken.length === 0) throw failure.reason
    say(`port ${taken.join(', ')} was taken meanwhile: choosing others`)
  }
}

/** @param {ServiceName[]} services */
export async function stopNative(services) {
  const ports = readPorts()
  await Promise.all(services.map((service) => instances[service].stop(ports)))
  noteStop(() => setOwner(services, undefined))
}

/** Registers this process with the instances of another one, which then waits for us before it stops them. */
export function joinUsers() {
  updateState({ users: [...(readState().users ?? []).filter(isAlive), toProcessId(process.pid)] })
}

/** Waits until no other process uses our instances any more. */
export async function waitForUsers() {
  for (const user of (readState().users ?? []).filter(isAlive)) {
    if (user.pid === process.pid) continue
    say(`broker and database are still used by process ${user.pid}: waiting for it to end`)
    await waitForExit(user, Number.POSITIVE_INFINITY)
  }
}
