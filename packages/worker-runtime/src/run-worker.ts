import type { Consumer, MessageQueue, SettledEvent } from '@mono/message-queue'
import { createMessageQueue as createRealMessageQueue } from '@mono/message-queue'
import { createBreakers } from './breakers.js'
import { createReadinessReporter } from './create-readiness-reporter.js'
import { DatabaseDependency } from './database-dependency.js'
import { createDatabasePool, type DatabasePool } from './database-pool.js'
import { createDatabaseProbe } from './database-probe.js'
import { FailureJudge } from './failure-judge.js'
import { followConsumer } from './follow-consumer.js'
import { openHealthServer } from './health-server.js'
import { type JudgedHandlers, judgeHandlers } from './judge-handlers.js'
import { createLogger as createRealLogger, type RuntimeLogger } from './logger.js'
import { createMetrics } from './metrics.js'
import { readEnvOrExplain } from './read-env-or-explain.js'
import { createResources } from './resources.js'
import { createShutdown, endProcess, type ProcessHost, processHost, type Shutdown } from './shutdown.js'
import { stopWorker } from './stop-worker.js'
import type { RunningWorker, Worker } from './worker.js'
import type { WorkerEnv } from './worker-env.js'
import { createWorkerState } from './worker-state.js'

export interface WorkerContext<E extends WorkerEnv> {
  env: E
  logger: RuntimeLogger
  /** The worker's database, which is up when `start` is called. Ended by the runtime. */
  pool: DatabasePool
  /** Closed by the runtime. */
  messageQueue: MessageQueue
  /** For the worker's handler: by this, what no message is at fault for is deferred. */
  judged: JudgedHandlers
  /** Feeds the metrics and the breakers; to be passed to `consumeMessages` or `consumeBatches`. */
  onSettled(event: SettledEvent): void
  /** Aborted when the worker is asked to stop, also during `start`. */
  signal: AbortSignal
}

export interface RunWorkerOptions<E extends WorkerEnv> {
  /** `audit-worker`: in logs, metrics, connection names. */
  name: string
  /** Called once. An `EnvError` is printed as a list and ends the process with 1. */
  readEnv(): E
  /** The worker's own schema. */
  schema: string
  /** A table of it that the worker's last migration needs: `audit.events`. Without it the worker waits. */
  probeTable: string
  /**
   * Statements by which the database shows that it can do the work: they write a row where the work writes one, under a
   * key that nobody else has, and are rolled back. Default: an insert of no rows into `probeTable`.
   */
  probeStatements?: readonly string[]
  /** Database connections at most. Default 10. */
  poolSize?: number
  /**
   * Makes the consumer. Called once, when the database is up. May take as long as the broker is away; a stop meanwhile
   * drains the client, which ends the wait.
   */
  start(context: WorkerContext<E>): Promise<RunningWorker> | RunningWorker
}

/** Replaced by tests. */
export interface WorkerDependencies {
  host: ProcessHost
  createMessageQueue: typeof createRealMessageQueue
  createLogger: typeof createRealLogger
}

const realDependencies: WorkerDependencies = {
  host: processHost,
  createMessageQueue: createRealMessageQueue,
  createLogger: createRealLogger,
}

/**
 * Runs a worker from reading its environment to the end of its process. Resolves, never rejects, when everything is
 * released; the exit code is set then, and the process ends by itself.
 *
 * 0: stopped by a signal; what was in flight is finished or given back to the broker. 1: faults in the environment, the
 * health port is taken, the topology does not match, `start` failed, an uncaught error, or a second signal.
 *
 * A database or broker that is away is waited for, before and after the start: `/livez` says 200, `/readyz` 503.
 */
export async function runWorker<E extends WorkerEnv>(
  options: RunWorkerOptions<E>,
  dependencies: Partial<WorkerDependencies> = {},
): Promise<void> {
  const { host, createLogger, createMessageQueue } = { ...realDependencies, ...dependencies }
  const env = readEnvOrExplain(options.readEnv, host)
  if (!env) return

  const logger = createLogger({ name: options.name, level: env.logLevel })
  const shutdown = createShutdown({ host, logger, graceMs: env.shutdownGraceMs })
  const worker: Worker = {
    logger,
    shutdown,
    state: createWorkerState(logger),
    resources: createResources(),
    started: {},
  }

  const broughtUp = bringUp({ options, env, worker, createMessageQueue }).catch((error: unknown) => {
    // A stop may make a start that is under way fail; that is no fault.
    if (shutdown.signal.aborted) logger.debug({ err: error }, 'The start was cut short by the stop')
    else shutdown.request({ reason: 'The worker could not start', error })
  })
  await shutdown.requested
  await stopWorker({ worker, broughtUp })

  shutdown.uninstall()
  endProcess({ host, logger, code: shutdown.exitCode })
}

interface BringUpOptions<E extends WorkerEnv> {
  options: RunWorkerOptions<E>
  env: E
  worker: Worker
  createMessageQueue: typeof createRealMessageQueue
}

/** The start, in order. Each thing acquired is registered for release, last in first out. */
async function bringUp<E extends WorkerEnv>({ options, env, worker, createMessageQueue }: BringUpOptions<E>) {
  const { name, probeTable, probeStatements, poolSize } = options
  const { logger, shutdown, state, resources, started } = worker
  const { databaseUrl } = env

  const breakers = createBreakers(logger)
  const readiness = createReadinessReporter({
    logger,
    sources: () => ({
      worker: name,
      state: state.current,
      messageQueue: started.messageQueue,
      consumer: started.running?.consumer,
      database: started.database?.status ?? { state: 'unknown' },
      breakers: breakers.statuses,
    }),
  })
  const metrics = createMetrics({ worker: name, isReady: () => readiness().status === 'ready' })
  metrics.watchBreakers(() => breakers.statuses)

  const server = await openHealthServer({ port: env.httpPort, readiness, metrics: metrics.render })
  resources.add('the health server', server.close)
  logger.info({ port: server.port, schema: options.schema }, 'Health server is listening')
  state.change('waiting')

  const pool = createDatabasePool({ databaseUrl, name, logger, ...(poolSize === undefined ? {} : { max: poolSize }) })
  resources.add('the database pool', () => pool.end())
  const probe = createDatabaseProbe({ databaseUrl, name, probeTable, probeStatements, pool })
  resources.add('the database probe', probe.close)
  // Added after the probe, so they are stopped before it is closed: a closed probe would look like an outage.
  resources.add('the breakers', breakers.stop)
  const check = async () => {
    const status = await probe.check()
    if ('error' in status) pool.holdOff(status.error)
    else pool.goOn()
    return status
  }
  const database = new DatabaseDependency({ check, logger })
  started.database = database
  await database.untilUp(shutdown.signal)
  breakers.add(database)

  const { rabbitmqUrls: url, topology } = env
  const messageQueue = createMessageQueue({ url, connectionName: name, logger, topology })
  resources.add('the broker connections', () => messageQueue.close())
  started.messageQueue = messageQueue
  const { signal } = shutdown
  const onSettled = (event: SettledEvent) => {
    metrics.onSettled(event)
    breakers.onSettled(event)
  }
  const judge = new FailureJudge({ findFault: breakers.findFault, onNobodysFault: breakers.blameNobody })
  const judged = judgeHandlers({ judge, onDeferral: breakers.noteCause })
  const running = await options.start({ env, logger, pool, messageQueue, judged, onSettled, signal })
  started.running = running
  for (const dependency of running.dependencies ?? []) breakers.add(dependency)
  for (const metric of running.metrics ?? []) metrics.watchOwn(metric)
  breakers.attach(running.consumer)
  followConsumer({ consumer: running.consumer, workerState: state, onChange: readiness })
  metrics.watchConsumer(running.consumer)
  stopWhenConsumerEnds(running.consumer, shutdown)
}

function stopWhenConsumerEnds(consumer: Consumer, shutdown: Shutdown): void {
  consumer.stopped.then(
    () => {
      if (shutdown.signal.aborted) return
      const error = new Error(`The consumer of ${consumer.queue} stopped, but nobody had asked the worker to stop`)
      shutdown.request({ reason: 'The consumer stopped', error })
    },
    (error: unknown) => shutdown.request({ reason: 'The consumer failed', error }),
  )
}
