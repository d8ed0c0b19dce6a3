// @ts-check
import { findCompose, startCompose, stopCompose } from './compose.mjs'
import { managementUrlOf, readGivenUrl } from './given.mjs'
import { adoptNative, joinUsers, readPorts, startNative, stopNative, waitForUsers } from './native.mjs'
import { databaseUrl } from './native-postgres.mjs'
import { brokerUrl } from './native-rabbitmq.mjs'
import { probeAmqp } from './probe-amqp.mjs'
import { probePostgres } from './probe-postgres.mjs'
import { isAlive, toProcessId } from './processes.mjs'
import { say, step } from './progress.mjs'
import { nativeRealtime, readGivenRealtime } from './realtime.mjs'
import { noteStop, readState, setOwner, updateState, withLock } from './state.mjs'

/** @typedef {'rabbitmq' | 'postgres'} ServiceName */

/**
 * Where broker and database are.
 * @typedef {object} Services
 * @property {string} rabbitmqUrl several of a cluster separated by commas, if they were given so
 * @property {string} managementUrl without user and password
 * @property {string} databaseUrl
 * @property {import('./realtime.mjs').Realtime | undefined} realtime undefined: not to be had
 * @property {{ [service in ServiceName]: 'given' | 'compose' | 'native' }} sources
 */

/** @typedef {Pick<Services, 'rabbitmqUrl' | 'managementUrl' | 'realtime' | 'databaseUrl'>} Urls */

/**
 * Takes what runs already, else starts with Docker Compose what is missing, else from Debian's packages.
 * @param {ServiceName[]} needed
 * @param {{ endWithParent: boolean }} options
 * @returns {Promise<{ native: ServiceName[], compose: ServiceName[], urls: Partial<Urls>, stop: () => Promise<void> }>}
 */
async function provide(needed, { endWithParent }) {
  const adopted = await adoptNative(needed)
  const missing = needed.filter((service) => !adopted.includes(service))
  const owned = adopted.filter((service) => readState().owners?.[service])
  if (owned.length > 0) {
    if (endWithParent) joinUsers()
    else
      say(`${owned.join(' and ')} will end with process ${readState().owners?.[owned[0] ?? '']?.pid}, which started it`)
  }
  const compose = missing.length > 0 && adopted.length === 0 ? await findCompose(missing) : { usable: false }
  if (compose.usable) {
    const before = readState()
    // What a killed run started is ours to stop again.
    const abandoned = before.owners?.compose && !isAlive(before.owners.compose) ? (before.composeServices ?? []) : []
    const { urls, started, before: belongings } = await startCompose(missing)
    const mine = [...new Set([...started, ...abandoned])]
    if (mine.length > 0) {
      updateState({ composeServices: [...new Set([...(before.composeServices ?? []), ...mine])] })
      setOwner(['compose'], endWithParent ? toProcessId(process.pid) : undefined)
    }
    const stop = async () => {
      if (mine.length === 0) return
      await step('stopping broker and database', () => withLock(() => stopCompose(mine, belongings)))
      noteStop(() => setOwner(['compose'], undefined))
    }
    return { native: [], compose: missing, urls, stop }
  }
  if (missing.length > 0) await startNative(missing, { endWithParent, dockerFault: compose.fault })
  const stop = async () => {
    if (missing.length === 0) return
    await waitForUsers()
    await step('stopping broker and database', () => withLock(() => stopNative(missing)))
  }
  return { native: needed, compose: [], urls: {}, stop }
}

/**
 * Gets broker and database: given by RABBITMQ_URL and DATABASE_URL, or running already, or started now with Docker
 * Compose, or from Debian's packages.
 * @param {{ endWithParent: boolean }} options `endWithParent`: private instances end when this process does, even by
 *   SIGKILL; otherwise they run until {@link stopServices}
 * @returns {Promise<Services & { stop: () => Promise<void> }>} `stop` ends what was started here and nothing else
 */
export async function startServices(options) {
  const before = readPorts()
  const givenBroker = await readGivenUrl('RABBITMQ_URL', before && brokerUrl(before), probeAmqp)
  const givenDatabase = await readGivenUrl('DATABASE_URL', before && databaseUrl(before.postgres), probePostgres)
  /** @type {ServiceName[]} */
  const needed = []
  if (!givenBroker) needed.push('rabbitmq')
  if (!givenDatabase) needed.push('postgres')
  const provided =
    needed.length > 0
      ? await withLock(() => provide(needed, options))
      : { native: [], compose: [], urls: {}, stop: async () => {} }
  const ports = readPorts()
  /** @type {Partial<Urls>} */
  const urls = { ...provided.urls }
  if (ports && provided.native.includes('rabbitmq')) {
    urls.rabbitmqUrl = brokerUrl(ports)
    urls.managementUrl = `http://127.0.0.1:${ports.management}`
    urls.realtime = nativeRealtime(ports.realtime)
  }
  if (ports && provided.native.includes('postgres')) urls.databaseUrl = databaseUrl(ports.postgres)
  const sourceOf = (/** @type {ServiceName} */ service) => {
    if (!needed.includes(service)) return 'given'
    return provided.native.includes(service) ? 'native' : 'compose'
  }
  /** @type {Promise<void> | undefined} */
  let stopping
  return {
    rabbitmqUrl: givenBroker ?? urls.rabbitmqUrl ?? '',
    managementUrl: givenBroker ? managementUrlOf(givenBroker) : (urls.managementUrl ?? ''),
    databaseUrl: givenDatabase ?? urls.databaseUrl ?? '',
    realtime: givenBroker ? readGivenRealtime() : urls.realtime,
    sources: { rabbitmq: sourceOf('rabbitmq'), postgres: sourceOf('postgres') },
    stop: () => {
      stopping ??= provided.stop()
      return stopping
    },
  }
}

/**
 * The variables by which tests and applications are told where these services are.
 * @param {Services} services
 * @returns {Record<string, string>}
 */
export function toVariables({ rabbitmqUrl, managementUrl, databaseUrl, realtime }) {
  return {
    RABBITMQ_URL: rabbitmqUrl,
    RABBITMQ_MANAGEMENT_URL: managementUrl,
    DATABASE_URL: databaseUrl,
    ...(realtime && { REALTIME_URL: realtime.url, REALTIME_KEY_FILE: realtime.keyFile }),
  }
}

/** Stops whatever of this clone runs, whoever started it; containers only if they were started here. */
export async function stopServices() {
  const stop = () =>
    step('stopping all services', async () => {
      await stopNative(['rabbitmq', 'postgres'])
      const { composeServices } = readState()
      if (composeServices && composeServices.length > 0) await stopCompose(composeServices)
    })
  await withLock(stop, { evenIfFull: true })
  noteStop(() => updateState({ owners: undefined, users: undefined }))
}

/**
 * Runs `work` with broker and database, and stops afterwards what was started for it; also at Ctrl-C, the second of
 * which ends this process at once.
 * @template T
 * @param {(services: Services) => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function withServices(work) {
  const services = await startServices({ endWithParent: true })
  let interruptedAt = Number.NEGATIVE_INFINITY
  const interrupt = () => {
    // One Ctrl-C may come twice: from the terminal, and passed on by npm.
    if (performance.now() - interruptedAt < 300) return
    if (interruptedAt > 0) process.exit(130)
    interruptedAt = performance.now()
    void services.stop().finally(() => process.exit(130))
  }
  process.on('SIGINT', interrupt).on('SIGTERM', interrupt)
  try {
    return await work(services)
  } finally {
    process.off('SIGINT', interrupt).off('SIGTERM', interrupt)
    await services.stop()
  }
}
