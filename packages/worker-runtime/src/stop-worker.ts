import type { MessageQueue } from '@mono/message-queue'
import type { RuntimeLogger } from './logger.js'
import type { Resources } from './resources.js'
import type { RunningWorker } from './run-worker.js'
import type { Shutdown } from './shutdown.js'
import { within } from './within.js'
import type { WorkerStateHolder } from './worker-state.js'

export interface StoppableWorker {
  state: WorkerStateHolder
  shutdown: Shutdown
  resources: Resources
  logger: RuntimeLogger
  /** Absent if the worker was asked to stop before its consumer was there. */
  running: RunningWorker | undefined
  messageQueue: Pick<MessageQueue, 'drain'> | undefined
}

/** For each step after the work in hand: none of them should take long, and none may hold up the end. */
const stepLimitMs = 3000

/**
 * Stops a worker, in this order: take no more and finish what is in hand; past the grace period give back the rest;
 * the worker's own end; flush the publisher; release all. A step that fails or takes too long makes the exit code 1
 * and does not keep the others from being tried.
 */
export async function stopWorker({ state, shutdown, resources, logger, running, messageQueue }: StoppableWorker) {
  state.change('draining')
  const attempt = createAttempt(shutdown)

  if (running) {
    const { consumer } = running
    const inFlightAtStart = consumer.inFlight
    const drained = await attempt('Draining the consumer', () => within(consumer.drain(), shutdown.remainingMs()))
    if (drained) {
      logger.info({ finished: inFlightAtStart }, 'Everything in hand is finished')
    } else {
      logger.warn({ inFlight: consumer.inFlight }, 'The grace period is over; giving back what is not finished')
      await attempt('Closing the consumer', () => withinOrThrow(consumer.close()))
    }
    await attempt('Stopping the worker’s own parts', () => withinOrThrow(running.stop?.()))
  }
  if (messageQueue) await attempt('Flushing the publisher', () => withinOrThrow(messageQueue.drain()))
  await attempt('Releasing the resources', () => withinOrThrow(resources.releaseAll()))

  state.change(shutdown.exitCode === 0 ? 'stopped' : 'failed')
}

/** Runs one step; false if it failed. The failure is logged and makes the exit code 1. */
function createAttempt(shutdown: Shutdown) {
  return async (what: string, step: () => Promise<boolean>): Promise<boolean> => {
    try {
      return await step()
    } catch (error) {
      shutdown.request({ reason: `${what} failed`, error })
      return false
    }
  }
}

async function withinOrThrow(promise: Promise<void> | undefined): Promise<boolean> {
  if (promise === undefined || (await within(promise, stepLimitMs))) return true
  throw new Error(`It was expected to take at most ${stepLimitMs} ms, but is still not done`)
}
