import type { Consumer, MessageQueue } from '@mono/message-queue'
import type { BreakerStatus } from './breaker.js'
import type { DatabaseStatus } from './database-status.js'
import { isRegistered } from './is-registered.js'
import { maskSecrets } from './mask-secrets.js'
import type { WorkerState } from './worker-state.js'

export interface BrokerCheck {
  state: 'idle' | 'connecting' | 'open' | 'closed'
  /** The broker has told a publishing connection to stop: a memory or disk alarm. */
  blocked: boolean
  error?: string
}

export interface ConsumerCheck {
  /** `not started` until the database is up. */
  state: Consumer['state'] | 'not started'
  inFlight: number
  error?: string
}

/** The body of `/readyz`. */
export interface ReadinessReport {
  status: 'ready' | 'not ready'
  worker: string
  state: WorkerState
  checks: {
    broker: BrokerCheck
    consumer: ConsumerCheck
    database: DatabaseStatus
    /** By the name of the dependency. */
    breakers: Readonly<Record<string, BreakerStatus>>
  }
}

export interface ReadinessSources {
  worker: string
  state: WorkerState
  messageQueue: Pick<MessageQueue, 'health'> | undefined
  /** Absent while the worker's start waits for the broker; the client knows about it then. */
  consumer: Consumer | undefined
  database: DatabaseStatus
  breakers: Readonly<Record<string, BreakerStatus>>
}

/**
 * Ready means: a message that arrives now is taken and its effect stored, by this replica or by the active one that it
 * stands by for. So the worker runs, its consumer is registered, the broker lets it publish, the database answers and is migrated, and no breaker is
 * open. Everything is looked up, nothing remembered.
 */
export function toReadinessReport(sources: ReadinessSources): ReadinessReport {
  const health = sources.messageQueue?.health()
  const consumer = toConsumerCheck(sources.consumer ?? health?.consumers[0], health)
  const broker = toBrokerCheck(health, consumer)
  const ready =
    sources.state === 'running' &&
    isRegistered(consumer.state) &&
    broker.state === 'open' &&
    !broker.blocked &&
    sources.database.state === 'up' &&
    Object.values(sources.breakers).every(({ state }) => state !== 'open')
  return {
    status: ready ? 'ready' : 'not ready',
    worker: sources.worker,
    state: sources.state,
    checks: { broker, consumer, database: sources.database, breakers: sources.breakers },
  }
}

function toConsumerCheck(
  consumer: (Pick<Consumer, 'queue' | 'state' | 'inFlight'> & Partial<Pick<Consumer, 'failure'>>) | undefined,
  health: ReturnType<MessageQueue['health']> | undefined,
): ConsumerCheck {
  if (!consumer) return { state: 'not started', inFlight: 0 }
  const { failure, inFlight, queue, state } = consumer
  // A consumer that goes on trying has no failure; the client knows why it does not consume, or cannot send copies.
  const error = failure?.message ?? health?.consumers.find((one) => one.queue === queue)?.lastError
  return { state, inFlight, ...(error !== undefined && { error: maskSecrets(error) }) }
}

/**
 * The client's own connection is for publishing and stays idle in a worker that publishes nothing. The consumer has a
 * connection of its own, so a consuming consumer shows that the broker is there.
 */
function toBrokerCheck(health: ReturnType<MessageQueue['health']> | undefined, consumer: ConsumerCheck): BrokerCheck {
  if (!health) return { state: 'idle', blocked: false }
  const { connection, blocked, lastError } = health
  const idleState = isRegistered(consumer.state) ? 'open' : consumer.state === 'connecting' ? 'connecting' : 'idle'
  const check: BrokerCheck = { state: connection === 'idle' ? idleState : connection, blocked }
  if (lastError !== undefined && check.state !== 'open') check.error = maskSecrets(lastError)
  return check
}
